"""Events into entries under a hard byte budget: intake, what is worth keeping, what is given up."""
