"""What the Outbox holds, read as an organisation's own tests would: JSON by `OUTBOX_KEY`."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from tests.instance import Instance

KEY = "a-key-of-these-walks"


@dataclass(frozen=True)
class Letter:
    """One message."""

    id: int
    to: str
    subject: str
    links: tuple[str, ...]


def count(instance: Instance) -> int:
    """How many messages there are."""
    return int(asked(instance, "")["count"])


def newest(instance: Instance, subject: str) -> list[Letter]:
    """Those of the newest 200 that have this subject."""
    return [Letter(each["id"], each["to"], each["subject"], tuple(each["links"]))
            for each in asked(instance, "?size=200")["messages"] if each["subject"] == subject]


def every(instance: Instance, subject: str) -> list[Letter]:
    """All that have this subject, page by page."""
    found, query = [], "?size=200"
    while query:
        page = asked(instance, query)
        found += [Letter(each["id"], each["to"], each["subject"], tuple(each["links"]))
                  for each in page["messages"] if each["subject"] == subject]
        query = f"?size=200&before={page['next']}" if page["next"] else ""
    return found


def source(instance: Instance, item_id: int) -> str:
    """One message as it would have gone out."""
    return str(asked(instance, f"/{item_id}")["source"])


def asked(instance: Instance, query: str) -> dict[str, Any]:
    asked = Request(f"{instance.url}/outbox/api/messages{query}", headers={"Authorization": f"Bearer {KEY}"})
    with urlopen(asked, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
