"""What is told of any moment, scored: seen, gone, never looked, not seen while looking."""
