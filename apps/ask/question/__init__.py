"""A question into what it means: what it wants to know, of which streams and times, and what to look for."""
