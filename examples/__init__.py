"""Small programs that use hippocam; each runs within seconds, without network, weights or a GPU."""
