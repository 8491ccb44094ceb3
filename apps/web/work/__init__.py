"""What the page works on: uploads as they come in, and jobs that watch, sleep and convert."""
