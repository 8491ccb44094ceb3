"""A week of real language: one annotator's sentences remembered in little room, another's asked."""
