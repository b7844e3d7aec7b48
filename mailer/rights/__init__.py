"""What a person may ask of us: a copy, a correction, erasure, an objection; and a register of what left the house."""
