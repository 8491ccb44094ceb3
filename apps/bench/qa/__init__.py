"""`hippocam bench qa`: question files in, accuracy, moment recall and false evidence out."""
