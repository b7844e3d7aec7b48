"""The stop list: fingerprints that must not be written to, and why; it outlives erasure."""
