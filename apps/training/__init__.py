"""`hippocam train`: what is learned beforehand, from memories, videos or worlds."""
