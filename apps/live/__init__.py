"""Cameras that never end: what a running live process is made of."""
