"""What a memory is after something was forgotten, beside one that never saw it."""
