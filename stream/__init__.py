"""Sources into observations, observations into embeddings: everything before the memory."""
