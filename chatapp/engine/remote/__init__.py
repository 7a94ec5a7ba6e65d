"""The engine somebody else runs: any OpenAI-compatible server."""
