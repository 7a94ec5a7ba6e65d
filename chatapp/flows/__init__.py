"""One file a promise: what a person asked for, from the request to what is kept of it."""
