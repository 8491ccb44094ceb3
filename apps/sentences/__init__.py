"""One readable sentence for every moment that a memory holds."""
