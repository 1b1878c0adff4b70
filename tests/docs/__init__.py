"""The documentation, held to the truth."""
