"""Senses beside the encoder: what finds things in pictures, reads them, and hears."""
