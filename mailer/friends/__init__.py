"""Tell a friend: one message, once, with the sender's name on it; then the address is forgotten."""
