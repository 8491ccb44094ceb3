"""Small things, searched for by whole frames, by tiles, by every box and by the memory; and things never shown."""
