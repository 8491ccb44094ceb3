"""What a memory's own records answer, in words: visits of things and people, notes, streams and their times."""
