"""Guards: what keeps promises where nobody looks."""
