"""Every blueprint of the application, in one place."""

from flask import Blueprint

from mailer.web.health import health
from mailer.web.outbox.site import outbox
from mailer.web.public.confirm import confirm
from mailer.web.public.join import join
from mailer.web.public.leave import leaving
from mailer.web.public.preferences import preferences
from mailer.web.public.site import site
from mailer.web.public.stop import stopping
from mailer.web.public.why import why
from mailer.web.staff.account import account
from mailer.web.staff.audit import audit
from mailer.web.staff.campaigns.rooms import campaigns, shown
from mailer.web.staff.forms import forms
from mailer.web.staff.help import help_page
from mailer.web.staff.home import home
from mailer.web.staff.limits import limits
from mailer.web.staff.lists import lists
from mailer.web.staff.notice import notice
from mailer.web.staff.people.acts import acts
from mailer.web.staff.people.person import person
from mailer.web.staff.people.search import people
from mailer.web.staff.sample_data import sample_data
from mailer.web.staff.settings import settings
from mailer.web.staff.sign_in import sign_in
from mailer.web.staff.start import start
from mailer.web.staff.team import team

BLUEPRINTS: tuple[Blueprint, ...] = (
    health,
    site, join, confirm, leaving, stopping, preferences, why,
    start, sign_in, home, account, team, settings, limits, sample_data, notice, audit, help_page,
    outbox,
    lists, forms, people, person, acts,
    campaigns, shown,
)
