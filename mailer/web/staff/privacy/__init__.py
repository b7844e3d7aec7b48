"""The privacy desk: requests with their clocks, erasures, and the register of disclosures."""
