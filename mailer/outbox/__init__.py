"""One row a message a person: planned, claimed, decided, handed over, recorded."""
