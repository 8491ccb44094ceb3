"""A robot's memory behind openpi's websocket protocol: as a service, and before another policy server."""
