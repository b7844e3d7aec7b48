"""Privacy notices by version, and the policy pack that says what may be done on which grounds."""
