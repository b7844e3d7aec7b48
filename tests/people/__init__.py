"""People, their consents, the stop list, and the file of exits."""
