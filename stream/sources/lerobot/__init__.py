"""LeRobot datasets (layouts v2.0, v2.1 and v3): their episodes as sources."""
