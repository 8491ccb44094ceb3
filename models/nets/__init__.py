"""Networks that others published, and the formats that their weights come in."""
