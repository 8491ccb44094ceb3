"""Photographs, folders of frames, and animations."""
