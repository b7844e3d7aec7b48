"""Imports every models.py, so that the metadata is whole for migrations and the data map."""

from mailer.audience import models as audience
from mailer.audit import models as audit
from mailer.campaigns import models as campaigns
from mailer.consent import models as consent
from mailer.content import models as content
from mailer.db import Model
from mailer.exits import models as exits
from mailer.friends import models as friends
from mailer.gate import models as gate
from mailer.lists import models as lists
from mailer.organisation import models as organisation
from mailer.outbox import models as outbox
from mailer.policy import models as policy
from mailer.practice import models as practice
from mailer.rights import models as rights
from mailer.staff import models as staff
from mailer.subscriptions import models as subscriptions
from mailer.suppression import models as suppression

metadata = Model.metadata
rooms = (audience, audit, campaigns, consent, content, exits, friends, gate, lists, organisation, outbox, policy,
         practice, rights, staff, subscriptions, suppression)
