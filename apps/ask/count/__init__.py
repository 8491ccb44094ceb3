"""Questions that count things, answered from the things and people that were told apart."""
