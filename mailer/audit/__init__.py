"""Who on the staff did what, and when; written once, never changed."""
