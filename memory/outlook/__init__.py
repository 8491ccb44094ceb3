"""What a memory would hold within another budget, and how much of what it watched it still finds, by age."""
