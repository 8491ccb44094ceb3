"""What is in a video file, and its frames into pictures: packet index, and a decoder for each case."""
