"""Pages of the people who work here; each asks for a permission at its door."""
