"""Cameras into pictures as they come in, their footage into clips, and clips cut out of it again."""
