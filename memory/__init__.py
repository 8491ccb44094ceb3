"""Embeddings into sensory, working and long-term memory, and questions into moments."""
