"""Each channel against the world outside."""
