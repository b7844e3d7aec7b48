"""Stand-ins at a provider's edge, each held to the suite its real twin passes."""
