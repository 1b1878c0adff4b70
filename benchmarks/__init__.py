"""Benchmarks: one command (`make bench`), peers in the same run, results in RESULTS.md."""
