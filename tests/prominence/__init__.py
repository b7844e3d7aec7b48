"""Forty ways to make leaving hard and twenty honest designs, all read as they arrive (promise T19)."""
