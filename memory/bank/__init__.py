"""What entries are worth, learned from what is met again, and which of them gives up what next."""
