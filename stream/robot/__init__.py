"""Between a robot's control loop and the processes that remember for it."""
