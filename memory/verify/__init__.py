"""Whether a memory is as it was written, and what can be saved of one that is not."""
