"""The private servers and their supervision, with real servers in temporary folders."""
