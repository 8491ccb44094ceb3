"""Zones and masks: what is marked in the pictures of cameras and recordings, and what nobody looks at."""
