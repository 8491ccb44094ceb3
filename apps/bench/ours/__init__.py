"""Hippocam's own consolidation as one of the rules that are compared, whole and without each part."""
