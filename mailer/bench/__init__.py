"""Measures the product on a scratch installation of its own, beside what the machine can do without it."""
