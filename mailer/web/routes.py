"""Every blueprint of the application, in one place."""

from flask import Blueprint

from mailer.web.health import health
from mailer.web.outbox.site import outbox
from mailer.web.public.address import address
from mailer.web.public.child import child
from mailer.web.public.confirm import confirm
from mailer.web.public.contact import contact
from mailer.web.public.fresh import fresh
from mailer.web.public.friend import friend
from mailer.web.public.join import join
from mailer.web.public.leave import leaving
from mailer.web.public.me import me
from mailer.web.public.my_data import my_data
from mailer.web.public.preferences import preferences
from mailer.web.public.site import site
from mailer.web.public.stop import stopping
from mailer.web.public.why import why
from mailer.web.staff.account import account
from mailer.web.staff.audit import audit
from mailer.web.staff.campaigns.rooms import campaigns, shown
from mailer.web.staff.forms import forms
from mailer.web.staff.friends import friends
from mailer.web.staff.help import help_page
from mailer.web.staff.home import home
from mailer.web.staff.limits import limits
from mailer.web.staff.lists import lists
from mailer.web.staff.notice import notice
from mailer.web.staff.people.acts import acts
from mailer.web.staff.people.desk import desk
from mailer.web.staff.people.person import person
from mailer.web.staff.people.proof import proof
from mailer.web.staff.people.search import people
from mailer.web.staff.policy import policy
from mailer.web.staff.privacy.acts import privacy_acts
from mailer.web.staff.privacy.desk import privacy_desk
from mailer.web.staff.privacy.register import register
from mailer.web.staff.sample_data import sample_data
from mailer.web.staff.settings import settings
from mailer.web.staff.sign_in import sign_in
from mailer.web.staff.start import start
from mailer.web.staff.stop_list.acts import stop_list_acts
from mailer.web.staff.stop_list.pages import stop_list_pages
from mailer.web.staff.team import team

BLUEPRINTS: tuple[Blueprint, ...] = (
    health,
    site, join, confirm, leaving, stopping, preferences, fresh, me, address, friend, why,
    my_data, contact, child,
    start, sign_in, home, account, team, settings, limits, sample_data, notice, audit, help_page,
    outbox,
    lists, friends, forms, people, person, acts, desk, proof, policy,
    stop_list_pages, stop_list_acts,
    privacy_desk, privacy_acts, register,
    campaigns, shown,
)
