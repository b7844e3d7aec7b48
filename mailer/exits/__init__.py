"""The exits file: every goodbye, kept outside the database, so that a database put back cannot forget it."""
