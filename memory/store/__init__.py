"""The memory's folder: one SQLite database, a file for each concern of its tables, and the pictures."""
