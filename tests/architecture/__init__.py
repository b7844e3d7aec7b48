"""Tests that read the code: what the house promises of itself."""
