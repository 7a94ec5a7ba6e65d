"""The support assistant that can be taught: a self-hosted, streaming web chat."""

__version__ = "0.3.0"
