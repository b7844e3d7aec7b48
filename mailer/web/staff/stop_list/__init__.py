"""The stop list as staff meet it: it answers about one address, takes more in, and shows figures, never addresses."""
