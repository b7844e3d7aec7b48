"""The consent ledger: every yes and every no, in the order they came, chained and signed; and what stands now."""
