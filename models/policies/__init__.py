"""Policies: what a robot sees and what it recalls, into a chunk of actions."""
