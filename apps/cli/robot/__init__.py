"""`hippocam robot ...`: logs replayed, memories and policies served, policies taught."""
