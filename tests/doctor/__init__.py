"""Each fault is truly made, and doctor must name it."""
