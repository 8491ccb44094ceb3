"""Where what a memory holds came from, and what of it is in quarantine."""
