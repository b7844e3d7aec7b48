"""What a campaign says, in versions that never change once written."""

import json
import re
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select

from mailer.content.models import ContentVersion
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound

LONGEST_SUBJECT = 200
LARGEST_BODY = 200_000
"""Octets of Markdown: twice what may travel as HTML, so that nobody waits for the layout of what can never leave."""
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def write(ctx: Context, *, subject: str, preview_line: str, markdown: str, language: str, fields: Sequence[str]
          ) -> ContentVersion:
    """A version with these words; `fields` names the personal fields that its clearances may open.

    Raises: InvalidInput for a subject that is empty, too long or of several lines, or a body beyond 200,000 octets,
    whose size is then the error's `octets`.
    """
    subject = _line("subject", subject)
    if not subject:
        raise InvalidInput(field="subject", why="is empty")
    preview_line = _line("preview_line", preview_line)
    markdown = markdown.replace("\r\n", "\n").replace("\r", "\n")
    octets = len(markdown.encode("utf-8", "surrogatepass"))
    if octets > LARGEST_BODY:
        raise InvalidInput(field="body", why=f"is too large: {octets} octets, at most {LARGEST_BODY}", octets=octets)
    if UNPRINTABLE.search(markdown.replace("\n", "").replace("\t", "")):
        raise InvalidInput(field="body", why="holds a character that cannot be printed")
    named = sorted(set(fields))
    said = json.dumps([subject, preview_line, markdown, language, named], ensure_ascii=False).encode()
    version = ContentVersion(
        subject=subject, preview_line=preview_line, markdown=markdown, language=language, fields=named,
        sha256=sha256(said).digest(), created_at=ctx.clock.now())
    ctx.db.add(version)
    ctx.db.flush()
    return version


def get(ctx: Context, version_id: int) -> ContentVersion:
    """A version by its id. Raises: NotFound."""
    version = ctx.db.scalars(select(ContentVersion).where(ContentVersion.id == version_id)).first()
    if version is None:
        raise NotFound(content_version=version_id)
    return version


def _line(field: str, value: str) -> str:
    value = value.strip()
    if len(value) > LONGEST_SUBJECT:
        raise InvalidInput(field=field, why=f"is longer than {LONGEST_SUBJECT} characters")
    if UNPRINTABLE.search(value):
        raise InvalidInput(field=field, why="holds a line break or a character that cannot be printed")
    return value
