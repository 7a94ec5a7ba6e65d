"""Documents in, passages out: load, split, embed, index, search; and the FAQ."""
