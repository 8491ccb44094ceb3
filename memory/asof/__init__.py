"""What is true as of a moment: when streams were looked at, and what was seen, is gone, or was not looked for."""
