"""Labelled data: read, mapped to examples, checked, split."""
