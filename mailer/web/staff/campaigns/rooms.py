"""Puts the pages of campaigns together under one path."""

from mailer.web.staff.campaigns.check import check
from mailer.web.staff.campaigns.composer import composer
from mailer.web.staff.campaigns.listing import campaigns
from mailer.web.staff.campaigns.pictures import shown
from mailer.web.staff.campaigns.preview import preview
from mailer.web.staff.campaigns.progress import progress
from mailer.web.staff.campaigns.report import report
from mailer.web.staff.campaigns.sending import sending
from mailer.web.staff.campaigns.testing import testing

for part in (composer, preview, check, testing, sending, progress, report):
    campaigns.register_blueprint(part)

__all__ = ["campaigns", "shown"]
