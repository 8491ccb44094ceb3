"""A whole archive of footage into memories, on all cores, killed and resumed at will."""
