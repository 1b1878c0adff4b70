"""Room: server."""
