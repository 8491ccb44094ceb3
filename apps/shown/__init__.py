"""What is shown of a memory beside answers: moments by time, stretches as clips, the shapes of records as JSON."""
