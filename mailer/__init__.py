"""Mailer: newsletters that keep their promises. Import the package you need; nothing is re-exported here."""
