"""The command `mailer`: starts an instance, stands up its parts one by one, and works on a running one."""

from mailer.cli.main import main

__all__ = ["main"]
