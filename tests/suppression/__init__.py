"""Tests of the stop list: its scopes, its files, its domain rules and who may lift what."""
