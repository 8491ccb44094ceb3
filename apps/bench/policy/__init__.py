"""Policies with our memory beside policies with other ones, in worlds that cannot be played without a memory."""
