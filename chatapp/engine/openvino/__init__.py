"""The engine for CPUs: OpenVINO GenAI in a worker process, and the conversion it reads."""
