"""What consolidation and sleep know beforehand, learned offline from other streams."""
