"""A memory as tools of the Model Context Protocol: search, ask, look, for whatever model a client runs."""
