"""The default encoder's head and belief, trained from captioned photographs."""
