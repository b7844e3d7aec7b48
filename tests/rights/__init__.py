"""Requests, copies, erasure and the register."""
