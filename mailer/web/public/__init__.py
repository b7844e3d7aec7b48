"""Pages for everyone outside the team: no cookie, no script, and reading one changes nothing."""
