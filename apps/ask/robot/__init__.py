"""Questions about what a robot did: what it acted on, where it was, its joints and its actions."""
