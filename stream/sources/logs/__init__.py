"""Robots' logs into observations: ROS bags, MCAP, RLDS, TUM's RGB-D sequences."""
