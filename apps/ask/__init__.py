"""A question into what it means, into moments, into an answer; over one memory or several."""
