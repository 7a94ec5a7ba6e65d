"""Learns to answer."""
