"""`mailer dkim`: no key signs before its record was shown, a rotation reaches who is sending, nothing leaks."""

import base64
import json

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from mailer.audit.models import AuditEntry
from mailer.cli.main import main
from mailer.core.errors import CannotSend, KeyProblem
from mailer.core.mail_signing import Algorithm
from mailer.organisation import dkim, dkim_signers, senders
from mailer.organisation.models import DkimKey
from mailer.services import Services, unit_of_work
from mailer.settings import Settings
from tests.channels.dkim_world import passes, tags

DOMAIN = "cadenza.example.org"
NEWS = f"news@{DOMAIN}"
MESSAGE = b"From: Cadenza <news@cadenza.example.org>\r\nSubject: Spring\r\n\r\nForty new titles.\r\n"


@pytest.fixture
def shell(settings: Settings, services: Services) -> CliRunner:
    """A shell whose environment names this test's instance."""
    return CliRunner(env={"DATABASE_URL": settings.database_url, "MAILER_DATA_DIR": str(settings.data_dir),
                          "MAILER_KEY_FILE": str(settings.key_file), "PUBLIC_URL": "https://news.cadenza.example"})


def told(shell: CliRunner, *words: str) -> dict[str, object]:
    answer = shell.invoke(main, ["dkim", *words, "--json"])
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.stdout)
    assert isinstance(said, dict)
    return said


def refused(answer: Result) -> str:
    assert answer.exit_code == 1 and not answer.stdout
    return answer.stderr


def listed(shell: CliRunner) -> list[tuple[str, str, str]]:
    keys = told(shell, "list")["keys"]
    assert isinstance(keys, list)
    return [(each["algorithm"], each["selector"], each["state"]) for each in keys]


def dns(shell: CliRunner) -> dict[bytes, bytes]:
    """What somebody has published who did as the command said."""
    keys = told(shell, "list")["keys"]
    assert isinstance(keys, list)
    return {(each["record"]["name"] + ".").encode(): "".join(each["record"]["strings"]).encode() for each in keys}


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_a_first_key_signs_and_its_printed_record_verifies(shell: CliRunner, services: Services, algorithm: str
                                                           ) -> None:
    assert services.mail_signers.of(NEWS) is None
    made = told(shell, "new", "--domain", "Cadenza.Example.org.", "--algorithm", algorithm)
    record = made["record"]
    assert isinstance(record, dict) and made["state"] == "active" and made["domain"] == DOMAIN
    assert record["name"] == f"{made['selector']}._domainkey.{DOMAIN}" and record["type"] == "TXT"
    assert "".join(record["strings"]) == record["value"] and max(map(len, record["strings"])) <= 255
    assert listed(shell) == [(algorithm, made["selector"], "active")]
    signers = fresh(services)
    signer = signers.of("news@CADENZA.example.org")
    assert signer is not None and signers.of("news@example.net") is None and signers.of("no address") is None
    assert passes(signer.sign(MESSAGE) + MESSAGE, dns(shell))


def fresh(services: Services) -> dkim_signers.StoredSigners:
    """Another process's signers, which has read nothing yet."""
    known = services.mail_signers
    assert isinstance(known, dkim_signers.StoredSigners)
    return dkim_signers.StoredSigners(known._engine, known._opener, known._sign_with, known._domain_of)


def test_two_kinds_of_key_sign_twice(shell: CliRunner, services: Services) -> None:
    for algorithm in ("rsa", "ed25519"):
        told(shell, "new", "--domain", DOMAIN, "--algorithm", algorithm)
    signer = fresh(services).of(NEWS)
    assert signer is not None
    headers = signer.sign(MESSAGE)
    assert headers.count(b"DKIM-Signature:") == 2 and passes(headers + MESSAGE, dns(shell))


def test_a_rotation_waits_for_its_record_and_then_takes_effect_while_mail_flows(
        shell: CliRunner, services: Services) -> None:
    old = told(shell, "new", "--domain", DOMAIN, "--selector", "old")
    running = fresh(services)
    assert signs_with(running) == "old"
    successor = told(shell, "rotate", "--domain", DOMAIN)
    assert successor["state"] == "new" and [state for *_, state in listed(shell)] == ["active", "new"]
    assert signs_with(fresh(services)) == "old"
    activated = told(shell, "rotate", "--domain", DOMAIN)
    assert activated["selector"] == successor["selector"] != old["selector"]
    assert listed(shell) == [("rsa", successor["selector"], "active"), ("rsa", "old", "retired")]
    assert signs_with(running) == "old"
    running._read_at -= dkim_signers.READ_EVERY
    assert signs_with(running) == successor["selector"]


def signs_with(signers: dkim_signers.StoredSigners) -> str:
    signer = signers.of(NEWS)
    assert signer is not None
    return tags(signer.sign(MESSAGE))["s"]


def test_a_later_key_waits_and_rotate_takes_it_and_leaves_other_kinds_alone(shell: CliRunner) -> None:
    for selector, kind in (("r1", "rsa"), ("e1", "ed25519"), ("r2", "rsa"), ("r3", "rsa")):
        told(shell, "new", "--domain", DOMAIN, "--selector", selector, "--algorithm", kind)
    told(shell, "rotate", "--domain", DOMAIN)
    assert sorted(listed(shell)) == [("ed25519", "e1", "active"), ("rsa", "r1", "retired"), ("rsa", "r2", "retired"),
                                     ("rsa", "r3", "active")]


def test_rotate_now_takes_the_key_it_made(shell: CliRunner) -> None:
    told(shell, "new", "--domain", DOMAIN, "--selector", "r1")
    told(shell, "rotate", "--domain", DOMAIN, "--now")
    assert sorted(state for *_, state in listed(shell)) == ["active", "retired"]


def test_no_key_signs_whose_record_could_not_be_printed(shell: CliRunner, services: Services) -> None:
    """A key is put to use after its record went out; when printing fails it waits, and `rotate` shows it again."""
    with unit_of_work(services) as ctx:
        never_shown = dkim.make(ctx, DOMAIN, Algorithm.RSA)
    assert fresh(services).of(NEWS) is None
    shown = shell.invoke(main, ["dkim", "rotate", "--domain", DOMAIN]).stdout
    assert never_shown.record.value in shown and signs_with(fresh(services)) == never_shown.selector


def test_a_retired_key_keeps_its_record_for_a_week_and_its_private_half_is_gone(
        shell: CliRunner, services: Services) -> None:
    told(shell, "new", "--domain", DOMAIN, "--selector", "old")
    told(shell, "rotate", "--domain", DOMAIN, "--now")
    said = shell.invoke(main, ["dkim", "list"]).stdout
    with unit_of_work(services) as ctx:
        row = ctx.db.scalars(select(DkimKey).where(DkimKey.selector == "old")).one()
        assert row.sealed == b"" and row.retired_at is not None
        assert f"keep its record published until {row.retired_at + dkim.KEEP_PUBLISHED:%Y-%m-%d}" in said


def test_private_halves_are_sealed_printed_nowhere_and_bound_to_their_row(shell: CliRunner, services: Services) -> None:
    spoken = [shell.invoke(main, ["dkim", *words]).output for words in (
        ("new", "--domain", DOMAIN, "--algorithm", "ed25519"), ("new", "--domain", "other.example.org", "--algorithm",
         "ed25519"), ("rotate", "--domain", DOMAIN), ("list",), ("list", "--json"))]
    with unit_of_work(services) as ctx:
        rows = list(ctx.db.scalars(select(DkimKey).order_by(DkimKey.id)))
        audit = [f"{entry.act} {entry.about} {entry.detail}" for entry in ctx.db.scalars(select(AuditEntry))]
        for key in dkim.signing_keys([rows[0]], services.opener) + dkim.signing_keys([rows[1]], services.opener):
            for form in (key.private, key.private[-32:]):
                written = (base64.b64encode(form).decode(), form.hex())
                assert not any(each in said for said in (*spoken, *audit) for each in written)
                assert not any(form in row.sealed for row in rows)
        rows[1].sealed = rows[0].sealed
        with pytest.raises(KeyProblem):
            dkim.signing_keys([rows[1]], services.opener)
        ctx.db.expunge_all()


def test_each_step_is_in_the_audit_trail(shell: CliRunner, services: Services) -> None:
    told(shell, "new", "--domain", DOMAIN)
    told(shell, "rotate", "--domain", DOMAIN, "--now")
    with unit_of_work(services) as ctx:
        acts = [(each.actor, each.act) for each in ctx.db.scalars(select(AuditEntry).order_by(AuditEntry.seq))]
    assert [act for _, act in acts] == ["dkim_key_made", "dkim_key_activated", "dkim_key_made", "dkim_key_retired",
                                        "dkim_key_activated"]
    assert {actor for actor, _ in acts} == {"operator"}


def test_what_is_mistyped_is_refused_in_a_sentence(shell: CliRunner) -> None:
    told(shell, "new", "--domain", DOMAIN, "--selector", "one")
    for words in (["new", "--domain", "no domain"], ["new", "--domain", DOMAIN, "--selector", "a b"],
                  ["new", "--domain", DOMAIN, "--selector", "x\r\ny"], ["new", "--domain", DOMAIN, "--selector", "one"],
                  ["rotate", "--domain", "other.example.org"], ["rotate", "--domain", "@"]):
        assert refused(shell.invoke(main, ["dkim", *words])).count("\n") == 1
    assert shell.invoke(main, ["dkim", "new", "--domain", DOMAIN, "--algorithm", "md5"]).exit_code == 2
    assert len(listed(shell)) == 1


def test_a_database_that_is_away_for_a_moment_does_not_make_mail_unsigned(shell: CliRunner, services: Services) -> None:
    told(shell, "new", "--domain", DOMAIN, "--selector", "one")
    running = fresh(services)
    assert signs_with(running) == "one"
    running._read_at -= dkim_signers.READ_EVERY
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE dkim_key RENAME TO dkim_key_away"))
    assert signs_with(running) == "one"
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE dkim_key_away RENAME TO dkim_key"))


def test_a_key_that_does_not_open_is_noticed_before_anything_is_sent(shell: CliRunner, services: Services) -> None:
    """Unsigned mail in a signing domain's name would be refused, and so count against people."""
    told(shell, "new", "--domain", DOMAIN, "--selector", "one")
    running = fresh(services)
    running.ready()
    with services.engine.begin() as connection:
        connection.execute(text("UPDATE dkim_key SET sealed = sealed || '\\x00'"))
    with pytest.raises(CannotSend):
        fresh(services).ready()
    running._read_at -= dkim_signers.READ_EVERY
    assert signs_with(running) == "one"


def test_the_settings_name_every_domain_we_send_from(services: Services, shell: CliRunner) -> None:
    told(shell, "new", "--domain", DOMAIN, "--selector", "one")
    with unit_of_work(services) as ctx:
        senders.add(ctx, name="Cadenza", address=NEWS)
        senders.add(ctx, name="Bücher", address="neu@bücher.example.org")
        assert [(each.name, each.signs) for each in dkim.sending_domains(ctx)] == [
            (DOMAIN, True), ("xn--bcher-kva.example.org", False)]
