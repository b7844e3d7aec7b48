"""Figures about many people, never about one."""
