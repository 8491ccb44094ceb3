"""What perceives beside the encoder while live cameras run, each for a share of the time: reading, hearing."""
