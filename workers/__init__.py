"""The processes that do the work pages and commands only ask for."""
