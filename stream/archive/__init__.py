"""An archive of footage into segments, and segments into part files, on all cores."""
