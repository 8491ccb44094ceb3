"""Streams with exact answers to learn from and to measure on: made ones, and real footage joined."""
