"""Who runs this installation: its name, address, senders, mode, and the instance's own identity."""
