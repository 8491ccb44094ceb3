"""The tour in pixels: rooms with painted walls that MiniWorld draws, and the small encoder that sees them."""
