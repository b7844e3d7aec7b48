"""The ways we can reach a person: one folder each, strangers to one another."""
