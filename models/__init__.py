"""What understands: encoders, senses, readers, and the networks that they run."""
