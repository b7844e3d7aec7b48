"""Finding a person, and the page that says what they agreed to and what became of it."""
