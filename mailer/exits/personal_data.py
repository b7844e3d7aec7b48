"""What the exits file holds: fingerprints alone, kept so that nobody is written to after a restore."""

COVERS = frozenset({("exit_mark", "detail")})
