"""Stretches of footage into short files, without decoding and encoding anything again."""
