"""Whole roads in one process: real PostgreSQL, a real mail server on loopback, no queue."""
