"""Taking a new master key into use while everything runs: layers on fingerprints, keys wrapped anew (decision 17)."""
