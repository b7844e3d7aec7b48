"""`mailer proof`: proofs of consent, checked on any machine, without an instance."""

from pathlib import Path

import click

from mailer import keyfile
from mailer.cli.output import as_json, show
from mailer.core import papers
from mailer.core.errors import InvalidInput
from mailer.core.tokens import SystemTokens
from mailer.core.vault import Sealer
from mailer.settings import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def proof() -> None:
    """Proofs of consent and other signed papers."""


@proof.command()
def key() -> None:
    """Print the public keys that check our papers: publish them, as `/paper-keys` does."""
    sealer = Sealer(keyfile.load(Settings.from_env().key_file), SystemTokens())
    click.echo(papers.key_file(sealer.public_keys), nl=False)


@proof.command()
@click.argument("file", type=FILE)
@click.option("--key", "key_path", type=FILE, help="The sender's published key file; without it the key that the "
                                                   "paper names is used, and printed to be compared.")
@as_json
def verify(file: Path, key_path: Path | None, as_json: bool) -> None:
    """Check that nothing in a signed paper was changed; name what was. It asks no server."""
    trusted = papers.read_key_file(key_path.read_text()) if key_path else []
    if key_path and not trusted:
        raise InvalidInput(field="key", why="is no key file")
    checked = papers.check(file.read_bytes(), trusted)
    said = f"Not as it was signed: {checked.what}."
    if checked.ok:
        known = "one of those in your key file" if trusted else "compare it with the sender's published key file"
        said = f"As it was signed, with the key {checked.key} ({known})."
    show({"ok": checked.ok, "what": checked.what, "key": checked.key, "key_known": bool(trusted) and checked.ok},
         as_json, said)
    if not checked.ok:
        raise SystemExit(1)
