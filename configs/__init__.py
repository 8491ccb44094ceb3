"""Settings that ship, as YAML: each names only what differs from the defaults in the code."""
