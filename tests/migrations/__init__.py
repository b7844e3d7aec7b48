"""Tests of the schema: up, down, up again, and what it refuses."""
