"""What a person does: join, confirm, choose, pause, leave and undo; leaving is the one way out."""
