"""Files in, text out: one module a format, each filling a draft that knows where things stand."""
