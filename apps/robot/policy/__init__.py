"""Policies that read a memory: taught by demonstrations, tried in worlds, with their memory taken away."""
