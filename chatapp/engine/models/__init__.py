"""Weights: found, fetched, converted and checked."""
