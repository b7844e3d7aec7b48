"""The queue and its processes, on a real Redis."""
