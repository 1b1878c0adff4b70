"""Watchkeeper."""
