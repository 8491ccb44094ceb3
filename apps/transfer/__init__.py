"""A memory into a file and back."""
