"""Every blueprint of the application, in one place."""

from flask import Blueprint

from mailer.web.health import health

BLUEPRINTS: tuple[Blueprint, ...] = (health,)
