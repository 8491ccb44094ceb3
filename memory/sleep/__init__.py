"""The bank made smaller while the memory is idle, as far as what it recalls holds."""
