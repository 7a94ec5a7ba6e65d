"""What a Hugging Face Space starts: the same app as ``python -m chatapp serve``."""

from chatapp.__main__ import serve

if __name__ == "__main__":
    serve()
