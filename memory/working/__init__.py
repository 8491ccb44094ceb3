"""Frames of one stream into events: the open event, what was known before it, a still camera's background."""
