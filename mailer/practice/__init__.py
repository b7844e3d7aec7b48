"""The Outbox of Practice and Trial: what would have left, sealed at rest, emptied on going Live."""
