"""`hippocam bench ...`: the benches as commands, in groups."""
