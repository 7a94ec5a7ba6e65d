"""The engine for GPUs: quantized weights under transformers' continuous batching."""
