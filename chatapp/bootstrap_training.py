"""Builds what teaches: data, runs, adapters and feedback."""
