"""Cameras that never end into frames with true times: capture processes, watchdogs, bounded rings."""
