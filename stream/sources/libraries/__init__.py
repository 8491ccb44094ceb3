"""What other programs have recorded and written down: their footage with its true times, their words as notes."""
