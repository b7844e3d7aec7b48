"""Pages of campaigns: write, check, send, watch, and read what became of it."""
