"""Room: sdk."""
