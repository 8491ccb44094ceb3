"""Things over time: tracks within a stream, visits, and the bounded bank of entities that visits belong to."""
