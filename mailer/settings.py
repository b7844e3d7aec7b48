"""What the environment tells us, read once. It refuses to start half-set."""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit, urlunsplit

from mailer.core.errors import BadSettings
from mailer.core.host_names import can_be_looked_up, is_host_name, is_ipv4
from mailer.core.modes import Mode

SMTP_SCHEMES = frozenset({"smtp", "smtp+starttls", "smtps"})
REDIS_SCHEMES = frozenset({"redis", "rediss", "unix"})
ENCRYPTED_DATABASE = frozenset({"require", "verify-ca", "verify-full"})
ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,62}")
PUBLIC_PATH = re.compile(r"[A-Za-z0-9/._~%+-]*")
WEIGHT = re.compile(r"[1-9][0-9]{0,2}")
HEAVIEST = 100
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SmtpServer:
    """One mail server of `SMTP_URL`: its URL without our query, and how large its share of the mail is."""

    name: str
    url: str = field(repr=False)
    weight: int = 1


@dataclass(frozen=True)
class Settings:
    """Every setting, parsed. An empty text or None means: not set here, the instance's own choice rules."""

    data_dir: Path
    port: int = 8000
    database_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    """What SMTP_URL says, one URL or several; `smtp_servers` has them apart."""
    mode: Mode | None = None
    public_url: str = ""
    mail_from: str = ""
    postal_address: str = ""
    key_file: Path = Path("var/keys/mailer.key")
    one_click_scope: str = "all"
    worker_processes: int = 2
    worker_threads: int = 4
    smtp_connections: int = 10
    metrics_key: str = field(default="", repr=False)
    outbox_key: str = field(default="", repr=False)
    trusted_proxies: int = 0
    channels: tuple[str, ...] = ("email",)
    backup_dir: Path | None = None
    backup_recipient: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read every variable named in docs/settings.md.

        Raises: BadSettings naming the first variable that cannot be read or contradicts another.
        """
        env = os.environ if env is None else env
        data_dir = Path(env.get("MAILER_DATA_DIR") or "var").absolute()
        return cls(
            data_dir=data_dir,
            port=_number(env, "PORT", 8000, low=1, high=65535),
            database_url=_database_url(env.get("DATABASE_URL", "")),
            redis_url=_redis_url(env.get("REDIS_URL", "")),
            smtp_url=_smtp_urls(env.get("SMTP_URL", "")),
            mode=_mode(env.get("MAILER_MODE", "")),
            public_url=_public_url(env.get("PUBLIC_URL", "")),
            mail_from=_mail_from(env),
            postal_address=env.get("POSTAL_ADDRESS", "").replace("\\n", "\n").strip(),
            key_file=Path(env.get("MAILER_KEY_FILE") or data_dir / "keys" / "mailer.key").absolute(),
            one_click_scope=_choice(env, "ONE_CLICK_SCOPE", "all", ("all", "list")),
            worker_processes=_number(env, "WORKER_PROCESSES", 2, low=1, high=256),
            worker_threads=_number(env, "WORKER_THREADS", 4, low=1, high=256),
            smtp_connections=_number(env, "SMTP_CONNECTIONS", 10, low=1, high=1000),
            metrics_key=env.get("METRICS_KEY", ""),
            outbox_key=env.get("OUTBOX_KEY", ""),
            trusted_proxies=_number(env, "TRUSTED_PROXIES", 0, low=0, high=10),
            backup_dir=_backup_dir(env),
            backup_recipient=env.get("MAILER_BACKUP_RECIPIENT", "").strip(),
        )

    @property
    def smtp_servers(self) -> tuple[SmtpServer, ...]:
        """The mail servers in the order given; none where only Practice is meant. Raises: BadSettings."""
        return _smtp_servers(self.smtp_url)


def is_local(url: str) -> bool:
    """Whether a server's URL stays on this machine: loopback or a unix socket."""
    parts = urlsplit(url)
    return "unix" in parts.scheme or "host=/" in parts.query or "host=%2F" in parts.query or (
        parts.hostname in LOOPBACK or (not parts.hostname and bool(url)))


def _number(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    raw = env.get(name) or str(default)
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise BadSettings(setting=name, why=f"a whole number from {low} to {high}")
    return int(raw)


def _backup_dir(env: Mapping[str, str]) -> Path | None:
    raw, recipient = env.get("MAILER_BACKUP_DIR", ""), env.get("MAILER_BACKUP_RECIPIENT", "").strip()
    if recipient and len(recipient.split()) > 1 and recipient.startswith("age1"):
        raise BadSettings(setting="MAILER_BACKUP_RECIPIENT", why="one recipient, or a file with one a line")
    if raw and not recipient:
        raise BadSettings(setting="MAILER_BACKUP_RECIPIENT", why="set where MAILER_BACKUP_DIR is")
    return Path(raw).absolute() if raw else None


def _choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name) or default
    if value not in allowed:
        raise BadSettings(setting=name, why="one of " + ", ".join(allowed))
    return value


def _database_url(raw: str) -> str:
    """SQLAlchemy knows no `postgres:`, and takes a plain `postgresql:` for another driver than ours."""
    scheme, separator, rest = raw.partition("://")
    if not raw:
        return ""
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise BadSettings(setting="DATABASE_URL", why="postgresql:// and a host")
    _parts("DATABASE_URL", raw)
    return f"postgresql+psycopg://{rest}"


def _redis_url(raw: str) -> str:
    if raw and _parts("REDIS_URL", raw).scheme not in REDIS_SCHEMES:
        raise BadSettings(setting="REDIS_URL", why="redis://, rediss:// or unix:// and a host or path")
    return raw


def _parts(name: str, raw: str, which: str = "") -> SplitResult:
    """The parts of a URL whose port is a number. Raises: BadSettings."""
    try:
        parts = urlsplit(raw)
        parts.port  # noqa: B018 - it is read here because only reading it finds it wrong.
    except ValueError:
        # What the parser complains of may be a piece of a password.
        raise BadSettings(setting=name, why="a URL whose host and port can be read" + which) from None
    return parts


def _mail_from(env: Mapping[str, str]) -> str:
    value = env.get("MAIL_FROM", "").strip()
    if value and (len(value.splitlines()) > 1 or not ADDRESS.fullmatch(parseaddr(value)[1])):
        raise BadSettings(setting="MAIL_FROM", why="one address, such as News <news@example.org>")
    return value


def _mode(raw: str) -> Mode | None:
    if not raw:
        return None
    if raw not in set(Mode):
        raise BadSettings(setting="MAILER_MODE", why="one of " + ", ".join(Mode))
    return Mode(raw)


def _smtp_urls(raw: str) -> str:
    _smtp_servers(raw)
    return raw.strip()


@cache
def _smtp_servers(raw: str) -> tuple[SmtpServer, ...]:
    """Blanks part the URLs; a complaint says which one it is about and never what it holds."""
    urls = raw.split()
    parsed = [_smtp_server(url, f" (URL {number} of {len(urls)})" if len(urls) > 1 else "")
              for number, url in enumerate(urls, start=1)]
    hosts = Counter(parts.hostname for parts, _, _ in parsed)
    servers = tuple(SmtpServer(name or _server_name(parts, alone=hosts[parts.hostname] == 1),
                               urlunsplit(parts._replace(query="", fragment="")), weight)
                    for parts, name, weight in parsed)
    for number, server in enumerate(servers, start=1):
        if server.name in {each.name for each in servers[:number - 1]}:
            raise BadSettings(setting="SMTP_URL", why="servers of different names: add ?name= to tell them apart "
                                                      f"(URL {number} of {len(urls)})")
    return servers


def _smtp_server(url: str, which: str) -> tuple[SplitResult, str, int]:
    """The parts of one mail server's URL, the name it asks for, and its weight. Raises: BadSettings."""
    parts = _parts("SMTP_URL", url, which)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    weight = asked.get("weight", "1")
    wrong = ""
    if parts.scheme not in SMTP_SCHEMES or not parts.hostname:
        wrong = "smtp://, smtp+starttls:// or smtps:// and a host"
    elif not can_be_looked_up(parts.hostname):
        wrong = "a host whose labels have 1 to 63 letters each"
    elif bool(parts.username) != bool(parts.password):
        wrong = "a user and a password, or neither"
    elif not asked.keys() <= {"name", "weight"} or (parts.query and not asked):
        wrong = "without further questions than ?name= and &weight="
    elif not SERVER_NAME.fullmatch(asked.get("name", "x")):
        wrong = "named by letters, digits, dots, dashes and underscores, at most 63"
    elif not WEIGHT.fullmatch(weight) or int(weight) > HEAVIEST:
        wrong = f"of a weight from 1 to {HEAVIEST}"
    if wrong:
        raise BadSettings(setting="SMTP_URL", why=wrong + which)
    return parts, asked.get("name", ""), int(weight)


def _server_name(parts: SplitResult, *, alone: bool) -> str:
    return str(parts.hostname) if alone or parts.port is None else f"{parts.hostname}:{parts.port}"


def _public_url(raw: str) -> str:
    if not raw:
        return ""
    parts = _parts("PUBLIC_URL", raw)
    host = parts.hostname or ""
    faults = {
        "without blanks": raw.split() != [raw],
        "http:// or https://, a host, and a path at most":
            parts.scheme not in ("http", "https") or not host or bool(parts.query or parts.fragment),
        "without a user and a password, as it stands in every message": "@" in parts.netloc,
        "a host name or an IPv4 address: of an IPv6 address no List-Id can be made (RFC 2919)": ":" in host,
        "a host name of letters, digits and hyphens, in its xn-- form where it has other letters":
            not is_host_name(host) and not is_ipv4(host),
        "a path of letters, digits and . _ ~ % + - / alone": not PUBLIC_PATH.fullmatch(parts.path),
    }
    for why, wrong in faults.items():
        if wrong:
            raise BadSettings(setting="PUBLIC_URL", why=why)
    return raw.rstrip("/")


@dataclass(frozen=True)
class Fixed:
    """What the environment settles for the product's rules and screens; an empty value is chosen on the screen."""

    mode: Mode | None = None
    public_url: str = ""
    mail_from: str = ""
    postal_address: str = ""
    one_click_scope: str = "all"
    local_url: str = "http://localhost:8000"
    mail_server: str = ""
    """`` (none), `plain` (one of them only fit for this machine) or `safe` (each by TLS, or on this machine)."""
    mail_servers: tuple[tuple[str, int], ...] = ()
    """Their names and weights."""
    plain_servers: tuple[str, ...] = ()
    """Settings of the database and of Redis that lead off this machine without TLS."""

    @classmethod
    def of(cls, settings: Settings) -> "Fixed":
        server = ""
        if servers := settings.smtp_servers:
            safe = all(urlsplit(each.url).scheme != "smtp" or is_local(each.url) for each in servers)
            server = "safe" if safe else "plain"
        return cls(settings.mode, settings.public_url, settings.mail_from, settings.postal_address,
                   settings.one_click_scope, f"http://localhost:{settings.port}", server,
                   tuple((each.name, each.weight) for each in servers), _plain_servers(settings))


def _plain_servers(settings: Settings) -> tuple[str, ...]:
    asked = parse_qs(urlsplit(settings.database_url).query).get("sslmode", [])
    encrypted = {"DATABASE_URL": (settings.database_url, not ENCRYPTED_DATABASE.isdisjoint(asked)),
                 "REDIS_URL": (settings.redis_url, settings.redis_url.startswith("rediss:"))}
    return tuple(name for name, (url, safe) in encrypted.items() if url and not safe and not is_local(url))


def resource_folder(name: str) -> Path:
    """Where templates or migrations lie: inside the installed wheel, else at the top of the checkout."""
    package = Path(__file__).parent
    packed = package / "_data" / name
    return packed if packed.is_dir() else package.parent / name


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a process that we start: our own, with these changes."""
    return {**os.environ, **changes}


def set_environment(**changes: str) -> None:
    """Change our own environment, for what we load and fork from now on."""
    os.environ.update(changes)
