"""OpenVINO's error messages, cut down to what a sentence can carry."""

from __future__ import annotations


def reason(error: RuntimeError) -> str:
    """The last line that says something: above it stand source files and checks."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason."
