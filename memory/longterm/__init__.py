"""Events into entries under a hard byte budget: intake, what is worth keeping, what goes when room is needed."""
