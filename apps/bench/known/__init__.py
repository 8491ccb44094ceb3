"""What a memory says is there, against what is; and words that it finds by what they mean."""
