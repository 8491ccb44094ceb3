"""What a robot's control loop waits for, beside a busy encoder, a large memory and processes that stop."""
