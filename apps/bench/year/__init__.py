"""A year of frames, or some days of it, in one memory: what a frame costs, and what waits for whom."""
