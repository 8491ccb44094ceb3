"""What is known of a moment into one readable sentence."""
