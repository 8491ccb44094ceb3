"""What a robot knows beside its pictures, and the way of both to the processes that remember."""
