"""What the ledger says of a person, for their copy; after an erasure its rows stay and say nothing about anybody."""

from typing import Any

from sqlalchemy import delete, select

from mailer.audience.models import ContactPoint
from mailer.consent import history, standing
from mailer.consent.history import Moment
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.personal import Whom
from mailer.core.vault import Opener
from mailer.lists.models import MailingList, Topic, Wording
from mailer.policy.models import Notice

COVERS = frozenset({("ledger_entry", "subject"), ("ledger_entry", "sealed")})


def export(ctx: Context, opener: Opener, whom: Whom) -> dict[str, Any]:
    """What stands, and every act with its exact words and the notice of that day. Raises: NotFound; KeyProblem."""
    lists = {row.id: row.name for row in ctx.db.scalars(select(MailingList))}
    topics = {row.id: row.name for row in ctx.db.scalars(select(Topic))}
    stands, acts = [], []
    for point_id in whom.point_ids:
        point = ctx.db.get_one(ContactPoint, point_id)
        stands += [{"channel": point.channel, "list": lists.get(row.list_id, ""),
                    "topic": topics.get(row.topic_id, ""), "purpose": row.purpose, "state": row.state,
                    "since": row.since.isoformat()} for row in standing.of(ctx, point_id)]
        acts += [_act(ctx, moment, lists, topics) for moment in history.timeline(ctx, opener, point)]
    return {"standing": stands, "timeline": sorted(acts, key=lambda act: str(act["at"]))}


def erase(ctx: Context, whom: Whom) -> None:
    """The projection goes; the ledger's rows open no more once the key is gone."""
    ctx.db.execute(delete(Standing).where(Standing.contact_point_id.in_(whom.point_ids)))


def _source(said: dict[str, Any]) -> str:
    """Whoever passed our page on stays unnamed (promise T6)."""
    source = str(said.get("source") or "")
    return "a friend" if source.startswith("friend") else source


def _act(ctx: Context, moment: Moment, lists: dict[int, str], topics: dict[int, str]) -> dict[str, Any]:
    said = moment.evidence
    notice = ctx.db.get(Notice, said["notice"]) if said.get("notice") else None
    wording = ctx.db.get(Wording, said["wording"]) if said.get("wording") else None
    return {
        "number": moment.seq, "at": moment.at.isoformat(), "act": moment.act, "channel": moment.channel,
        "list": lists.get(moment.list_id, ""), "topic": topics.get(moment.topic_id, ""), "purpose": moment.purpose,
        "how": said.get("how") or "", "source": _source(said), "note": said.get("note") or "",
        "wording": wording.text if wording else "", "notice_version": notice.version if notice else "",
        "mode": moment.mode}
