"""`mailer keys`: the master key on paper, and back from it (decision 15)."""

import base64
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from hashlib import sha256

import click

from mailer import keyfile
from mailer.cli.output import as_json, show
from mailer.cli.powers import OPERATOR, services, unit
from mailer.core.errors import InvalidInput, KeyProblem
from mailer.core.tokens import SystemTokens
from mailer.organisation.profile import ensure_instance
from mailer.rotation import rotate as rotation
from mailer.services import unit_of_work
from mailer.settings import Settings

GROUP = 4
CHECK = 4

PAGE = """\
MAILER RECOVERY KIT
===================
Installation  {instance}
Printed       {day}

This page IS the master key. Whoever holds it and a copy of the database can read every address.
Print it, lock it away outside this building, and close this window. It is stored nowhere else than in the key file;
without either of them no address can ever be read again, by anybody.

{keys}

Each key is 13 groups of letters and digits, and a check group. There is no 0, 1, 8 or 9 in them.

TO RESTORE
1. Install Mailer and restore the database and the newest key archive.
2. Set MAILER_KEY_FILE to where the key file shall lie; nothing must lie there yet.
3. Run `mailer keys restore`, type each line that begins with "key", and end with Ctrl-D.
4. Run `mailer exits status` and `mailer ledger verify`, then start Mailer.
"""


@click.group()
def keys() -> None:
    """The master key."""


@keys.command()
def kit() -> None:
    """Print the recovery kit: the master key on a page to lock away."""
    ring = keyfile.load(Settings.from_env().key_file)
    with unit() as ctx:
        page = PAGE.format(instance=ensure_instance(ctx).id, day=ctx.clock.now().date().isoformat(),
                           keys="\n\n".join(spell(number, key) for number, key in sorted(ring.keys.items())))
    click.echo(page)


@keys.command()
def restore() -> None:
    """Write the key file from a recovery kit that is typed or piped in."""
    path = Settings.from_env().key_file
    if path.exists():
        raise KeyProblem(why="there is a key file already; MAILER_KEY_FILE names where it lies")
    found = dict(read(sys.stdin))
    if not found:
        raise InvalidInput(field="kit", why="holds no line that begins with key")
    keyfile.write(path, found, SystemTokens())
    click.echo(f"Wrote {len(found)} key(s).")


@keys.command()
@click.option("--add", "only_add", is_flag=True, help="Only put a new key into the key file, for other hosts.")
@click.option("--resume", is_flag=True, help="Only finish what was begun; never begin anew.")
@click.option("--status", "only_look", is_flag=True, help="Only say how far it is.")
@as_json
def rotate(only_add: bool, resume: bool, only_look: bool, as_json: bool) -> None:
    """Take a new master key into use while everything runs; begun again after a kill it goes on."""
    powers = services()
    path, unit_of = powers.settings.key_file, partial(unit_of_work, powers, actor=OPERATOR)
    with unit_of() as ctx:
        found = rotation.state(ctx, keyfile.load(path))
    if only_look:
        show(asdict(found) | {"begun": found.begun}, as_json, _standing(found))
        return
    if not found.begun and not (resume and found.waiting):
        if resume:
            show(asdict(found) | {"begun": False}, as_json, "Nothing was begun.")
            return
        rotation.add(path, powers.tokens)
    if only_add:
        latest = keyfile.load(path).latest
        show({"latest": latest}, as_json, f"The key file knows key {latest}. Copy it to every other host, then run "
             "`mailer keys rotate` here.")
        return
    done = rotation.run(unit_of, path, powers.tokens, partial(click.echo, err=True))
    show(asdict(done) | {"begun": done.begun}, as_json, f"{_standing(done)}\nPrint a new recovery kit "
         "(`mailer keys kit`) and copy the key file to every other host.")


def _standing(found: rotation.State) -> str:
    waiting = ", ".join(f"{table}: {number}" for table, number in found.waiting.items())
    said = f"Key {found.in_use} is in use."
    if found.latest != found.in_use:
        said += f" Key {found.latest} is known and not yet in use; run `mailer keys rotate`."
    return said + (f" Older than that: {waiting}." if waiting else " Nothing older is left.")


def spell(number: int, key: bytes) -> str:
    """A key as it is printed: `key`, its number, 52 letters of base32 (RFC 4648) in groups, and a check group."""
    letters = base64.b32encode(key).decode().rstrip("=") + _check(number, key)
    return f"key {number}: " + " ".join(textwrap.wrap(letters, GROUP))


def read(lines: Iterable[str]) -> Iterable[tuple[int, bytes]]:
    """The keys of a kit. Raises: InvalidInput naming the key that was mistyped."""
    for line in lines:
        word, _, rest = line.strip().lower().partition(" ")
        if word != "key":
            continue
        name, _, spelled = rest.partition(":")
        letters = "".join(spelled.split()).upper()
        try:
            number, key = int(name), base64.b32decode(letters[:-CHECK] + "====")
        except ValueError as error:
            raise InvalidInput(field=f"key {name}", why="is not whole; look at every group") from error
        if not 0 < number < 256 or len(key) != 32 or letters[-CHECK:] != _check(number, key):
            raise InvalidInput(field=f"key {name}", why="has a mistyped letter; look at every group")
        yield number, key


def _check(number: int, key: bytes) -> str:
    digest = sha256(b"mailer recovery kit\x00" + bytes([number]) + key).digest()
    return base64.b32encode(digest).decode()[:CHECK]
