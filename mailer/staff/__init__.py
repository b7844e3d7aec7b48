"""The people who work here: accounts, roles, sessions and second factors."""
