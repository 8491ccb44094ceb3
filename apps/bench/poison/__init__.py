"""What strangers can plant, tried on recall and readers: with plain recall, and with the product's defence."""
