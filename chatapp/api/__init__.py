"""The app for programs: OpenAI-compatible HTTP, health and metrics."""
