"""A Live world where our server may pass messages on, and what a sender and a friend do in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from mailer.context import Context
from mailer.friends import invite, settings
from mailer.friends.words import Typed
from mailer.outbox import singles
from mailer.outbox.models import SingleMessage
from mailer.policy import packs
from mailer.services import Services
from tests.builders import AList, World
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

FERN, FAY = "fernanda.sends@example.org", "fayreceives.once@example.net"
WORDS = "Quartets by the river, you will love them."


class Friends:
    """A list with a form, tell-a-friend by mail switched on, and a mail server that counts."""

    def __init__(self, services: Services, server: SmtpServer) -> None:
        self.sending = Sending(services, server)
        self.services = self.sending.services
        self.server = server
        self.house = World(self.services)
        self.news: AList = self.house.a_list()
        self.house.a_form(self.news)
        with self.unit() as ctx:
            packs.choose(ctx, "friends_by_mail")
            settings.change(ctx, self.news.id, shares=True, by_mail=True)

    @contextmanager
    def unit(self) -> Iterator[Context]:
        with self.sending.unit() as ctx:
            yield ctx

    def ask(self, friend: str = FAY, sender: str = FERN, name: str = "Fern", said: str = WORDS, *,
            trapped: bool = False) -> None:
        with self.unit() as ctx:
            offer = settings.offer_of(ctx, self.news.id)
            assert offer is not None
            invite.ask(ctx, offer, Typed(name, sender, friend, said), trapped=trapped)

    def press_links(self) -> list[str]:
        """The tokens of press mails that wait, oldest first."""
        return [str(self.detail(each)["link"]).rpartition("/")[2] for each in self.of("press") if self.detail(each)]

    def press(self, token: str) -> str:
        with self.unit() as ctx:
            return invite.press(ctx, token).outcome

    def asked_and_pressed(self, friend: str = FAY, sender: str = FERN, **more: Any) -> None:
        before = set(self.press_links())
        self.ask(friend, sender, **more)
        (token,) = set(self.press_links()) - before
        assert self.press(token) == "open"

    def page(self) -> str:
        """The token of the friend's page of the newest message that waits."""
        return str(self.detail(self.of("invitation")[-1])["page"]).rpartition("/")[2]

    def passed_on(self, friend: str = FAY, **more: Any) -> str:
        """All the way to the friend's mailbox; the token of their page."""
        self.asked_and_pressed(friend, **more)
        token = self.page()
        self.sending.singles()
        return token

    def of(self, kind: str) -> list[SingleMessage]:
        with self.unit() as ctx:
            return list(ctx.db.query(SingleMessage).filter_by(kind=kind).order_by(SingleMessage.id))

    def detail(self, single: SingleMessage) -> dict[str, Any]:
        return singles.detail_of(self.services.opener, single)

    def states(self, kind: str = "invitation") -> list[tuple[str, str | None]]:
        return [(single.state, single.code) for single in self.of(kind)]

    def row(self) -> dict[str, Any]:
        """The newest request as it stands."""
        with self.unit() as ctx:
            return dict(ctx.db.execute(text("SELECT * FROM friend_request ORDER BY id DESC LIMIT 1")).mappings().one())

    def sql(self, statement: str, **values: object) -> list[Any]:
        return list(self.sending.sql(statement, **values))

    def to(self, address: str) -> int:
        """How many messages the server took for this address."""
        return self.sending.taken[address]

    def close(self) -> None:
        self.sending.close()
