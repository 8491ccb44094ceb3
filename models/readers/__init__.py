"""Evidence into answers: one reader a file."""
