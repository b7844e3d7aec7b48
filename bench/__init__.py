"""Benchmarks of the engine, each on a scratch instance of its own; ratios are within one run."""
