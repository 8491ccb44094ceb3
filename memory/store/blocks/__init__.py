"""Entries that keep only little of their evidence, many to a block instead of one to a row."""
