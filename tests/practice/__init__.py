"""The Outbox's own tests."""
