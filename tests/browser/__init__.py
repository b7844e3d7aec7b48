"""Walks with a real Chromium through a whole instance, as people would take them."""
