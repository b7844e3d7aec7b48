"""A short set of measurements of this checkout; `mailer bench` measures each on its own."""
