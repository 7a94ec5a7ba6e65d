"""Text in, tokens out."""
