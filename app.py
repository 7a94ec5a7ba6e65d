"""What a Hugging Face Space starts: the same app as ``python -m chatapp serve``."""

from contextlib import suppress

with suppress(ImportError):
    import spaces  # noqa: F401  # on ZeroGPU it must come before torch

from chatapp.__main__ import serve

if __name__ == "__main__":
    serve()
