"""Telling a friend."""
