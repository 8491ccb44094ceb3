"""How changes reach the disk: transactions, which may share a commit, and the log that is folded into the file."""
