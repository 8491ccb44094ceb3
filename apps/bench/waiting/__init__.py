"""How long a write and a question wait, beside each other."""
