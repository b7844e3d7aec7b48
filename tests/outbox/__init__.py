"""The outbox: plan, claim, journal, states."""
