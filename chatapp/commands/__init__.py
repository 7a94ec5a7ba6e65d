"""The command line, one file a command; ``chatapp.__main__`` puts them together."""
