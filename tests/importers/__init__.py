"""History from other tools."""
