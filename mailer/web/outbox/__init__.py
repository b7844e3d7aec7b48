"""The Outbox's pages: what would have left, and acts of the outside world on it; absent in Live."""
