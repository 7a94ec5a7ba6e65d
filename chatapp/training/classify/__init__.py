"""Learns to sort texts into labels."""
