"""Things cut out of frames: which of them the encoder is shown by themselves."""
