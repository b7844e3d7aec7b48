"""Backups that an erasure reaches: generations without keys, and one archive of keys that is replaced (decision 16)."""
