"""A question into moments, each with a belief: nearest vectors, full text, notes, places and times."""
