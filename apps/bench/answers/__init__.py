"""`hippocam bench answers`: annotated films are watched, asked as people ask, and the answers scored."""
