"""Events into entries under a hard byte budget: what comes in, what is given up, what sleep writes."""
