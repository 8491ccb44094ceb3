"""A memory into a file and back."""

# What a memory is exported as.
FORMATS = ("jsonl", "csv", "srt", "vtt")
