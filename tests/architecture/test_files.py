"""What lies in the checkout: templates with a heading, no path of anybody's machine, a lock without addresses."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.rules import ROOT

LEFT_OUT = frozenset({".git", ".venv", "var", "build", "dist", "__pycache__", "node_modules"})
TEXT = frozenset({".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".json", ".yml", ".yaml", ".cfg", ".ini",
                  ".lock", ".sh", ""})
# Spelled so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.}/])/(?:[w]ork|[h]ome/[a-z]+|[r]oot|[U]sers/[a-z]+)/[\w.]")
REGISTRY = re.compile(r"[i]ndex-url|[t]rusted-host|[f]ind-links|[a]rtifactory|/[s]imple/|[f]iles\.pythonhosted"
                      r"|[r]egistry\.npmjs")
CONTENT_OF = {
    "base": "the frames that pages extend", "macros": "parts of pages",
    "messages": "letters, with a frame of their own",
}
IN_A_FRAME = {
    "templates/staff/campaigns/preview_text.html": "the text part of a campaign, shown inside a frame of the composer",
    "templates/staff/forms/frames.html": "parts of a page",
}


def files() -> Iterator[tuple[str, str]]:
    """Every text of the checkout that is or could be committed."""
    waiting: list[Path] = [ROOT]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            if path.is_dir():
                if path.name not in LEFT_OUT and not path.name.endswith(("_cache", ".egg-info", ".hypothesis")):
                    waiting.append(path)
            elif path.suffix in TEXT and path.name != ".installed":
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")


def test_no_file_names_a_machine_or_a_registry() -> None:
    named = [f"{path}:{number}" for path, text in files() for number, line in enumerate(text.splitlines(), 1)
             if MACHINE_PATH.search(line) or REGISTRY.search(line)]
    assert not named


@pytest.mark.parametrize("line", ["see /" + "work/here/notes.md", "DATA = '/" + "home/anna/data'", "--index" + "-url https://x"])
def test_such_a_line_is_found(line: str) -> None:
    assert MACHINE_PATH.search(line) or REGISTRY.search(line)


def test_the_lock_names_hashes_and_no_address() -> None:
    """Whoever installs chooses where from; the hashes say what."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    requirements = re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)
    assert "://" not in lock and not lock.startswith("-")
    assert len(requirements) > 20
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.MULTILINE)[1:]
    assert not [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block]


def pages() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        name = path.relative_to(ROOT).as_posix()
        if name.split("/")[1] not in CONTENT_OF and name not in IN_A_FRAME:
            yield name, path.read_text(encoding="utf-8")


def is_page(source: str) -> bool:
    return bool(re.search(r"{%-?\s*extends \"base/(?:public|staff|document)\.html\"", source))


def has_title_and_heading(source: str) -> bool:
    """Title and heading are one text in the frames; a page with a heading of its own shows an h1 there."""
    title = re.search(r"{% block title %}(.+?){% endblock %}", source, re.DOTALL)
    own = re.search(r"{% block heading %}(.*?){% endblock %}", source, re.DOTALL)
    bare = "base/document.html" in source
    return bool(title and title[1].strip()) and ("<h1" in source if own or bare else "<h1" not in source)


def test_every_page_has_a_title_and_one_heading() -> None:
    assert not [name for name, source in pages() if is_page(source) and not has_title_and_heading(source)]


def test_what_is_no_page_is_a_part_of_one() -> None:
    """A template without a frame is put into a page by script, or included by one."""
    texts = [text for _, text in rules.modules("mailer")] + [source for _, source in pages()]
    parts = [name for name, source in pages() if not is_page(source)]
    assert not [name for name in parts if not any(name.removeprefix("templates/") in text for text in texts)]


@pytest.mark.parametrize("source", [
    '{% extends "base/staff.html" %}{% block content %}Words{% endblock %}',
    '{% extends "base/staff.html" %}{% block title %} {% endblock %}',
    '{% extends "base/public.html" %}{% block title %}Stop{% endblock %}{% block heading %}Words{% endblock %}',
    '{% extends "base/public.html" %}{% block title %}Stop{% endblock %}{% block content %}<h1>Two</h1>{% endblock %}',
])
def test_a_page_without_them_is_found(source: str) -> None:
    assert is_page(source) and not has_title_and_heading(source)


def test_no_page_loads_anything_from_another_host() -> None:
    elsewhere = re.compile(r"(?:src|href)=\"(?:https?:)?//(?!www\.w3\.org)[^\"]*\"")
    assert not [name for name, source in pages() for found in elsewhere.finditer(source)
                if 'rel="stylesheet"' in source[max(0, found.start() - 60):found.start()] or found[0].startswith("src")]


def test_every_advisory_lock_has_a_number_of_its_own() -> None:
    """Two parts that take the same number would wait for each other without knowing why."""
    numbers: dict[str, list[str]] = {}
    for path, source in rules.modules("mailer", "workers", "migrations"):
        for found in re.finditer(r"^[A-Z_]+ = (71\d{5})$", source, re.MULTILINE):
            numbers.setdefault(found[1], []).append(path)
    assert len(numbers) >= 2
    assert not {number: paths for number, paths in numbers.items() if len(paths) > 1}
