"""Rules that imports cannot show, each a function from source text to the lines that break it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("mailer", "workers")
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40
EMPTY_NAMES = frozenset({"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*packages: str) -> Iterator[tuple[str, str]]:
    """Every module below these folders, as its path from the top of the checkout and its text."""
    for package in packages or PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def clearances_made(source: str) -> list[int]:
    """Where a Clearance is made: by its name, under another name, or by copying one."""
    names = {"Clearance"} | {alias.asname for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)
                             for alias in node.names if alias.name == "Clearance" and alias.asname}
    made = [call.lineno for call in _calls(source) if _name(call.func) in names or _copies(call, names)]
    return sorted(made)


def _copies(call: ast.Call, names: set[str]) -> bool:
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("_replace", "_make"):
        return _name(call.func.value) in names | {"clearance"}
    return _name(call.func) == "replace" and bool(call.args) and _name(call.args[0]) == "clearance"


def deliveries(source: str) -> list[int]:
    """Where a transport is told to deliver."""
    return [call.lineno for call in _calls(source)
            if isinstance(call.func, ast.Attribute) and call.func.attr == "deliver"]


def commits(source: str) -> list[int]:
    """Where a transaction is begun or committed. A savepoint (`begin_nested`) is neither."""
    savepoints = {target.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign)
                  and isinstance(node.value, ast.Call) and _name(node.value.func) == "begin_nested"
                  for target in node.targets if isinstance(target, ast.Name)}
    return [call.lineno for call in _calls(source)
            if isinstance(call.func, ast.Attribute) and not call.args
            and call.func.attr in ("commit", "begin", "transaction")
            and _name(call.func.value) not in savepoints]


def imports_in_functions(source: str) -> list[int]:
    """Where a function imports."""
    return sorted({inner.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, Function)
                   for inner in ast.walk(node) if isinstance(inner, ast.Import | ast.ImportFrom)})


def imports_by_name(source: str) -> list[int]:
    """Where a module is imported by a name made up at run time, which no contract sees."""
    return [call.lineno for call in _calls(source) if _name(call.func) in ("import_module", "__import__")]


def broad_handlers(source: str) -> list[int]:
    """Where every error at once is caught and not raised again."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)
            and (node.type is None or _name(node.type) in ("Exception", "BaseException"))
            and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))]


def unexplained_silences(source: str) -> list[int]:
    """Where a checker is silenced without a reason beside it."""
    silence = re.compile(r"#\s*(?:noqa: *[A-Z0-9, ]*[A-Z0-9]|type: *ignore\[[^]]*\]|noqa|type: *ignore)(.*)$")
    return [number for number, line in enumerate(source.splitlines(), 1)
            if (found := silence.search(line)) and not re.search(r"[a-z]{3,}", found[1])]


def long_functions(source: str) -> list[tuple[int, str, int]]:
    """Functions of more than 40 lines, as (line, name, lines)."""
    found = [(node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
             for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]
    return [each for each in found if each[2] > LONGEST_FUNCTION]


def is_long(source: str) -> bool:
    """Whether a module has more than 300 lines."""
    return len(source.splitlines()) > LONGEST_MODULE


def is_one_docstring(source: str) -> bool:
    """Whether the text is a docstring and nothing else."""
    body = ast.parse(source).body
    return len(body) == 1 and bool(ast.get_docstring(ast.parse(source)))


def has_empty_name(path: str) -> bool:
    """Whether a module or package is named for nothing in particular."""
    return bool(EMPTY_NAMES & {part.removesuffix(".py") for part in path.split("/")})


def paths_printed(source: str) -> list[tuple[int, str]]:
    """Paths of our own pages that a module prints, with `1` in place of what differs.

    `/staff/settings`, f"{base}/u/{token}" and f"/staff/campaigns/{id}" are such.
    """
    tree = ast.parse(source)
    parts = {id(piece) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for piece in ast.walk(node) if piece is not node}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.JoinedStr):
            values = node.values[1:] if isinstance(node.values[0], ast.FormattedValue) else node.values
            found.append((node.lineno, "".join(
                str(value.value) if isinstance(value, ast.Constant) else "1" for value in values)))
    return [(line, text.split("?")[0].split("#")[0]) for line, text in found
            if re.fullmatch(r"/[a-z][A-Za-z0-9/_-]*(?:[?#].*)?", text)]


def endpoints_named(source: str) -> list[tuple[int, str]]:
    """Endpoints that a module or template asks `url_for` for."""
    return [(source.count("\n", 0, found.start()) + 1, found[1])
            for found in re.finditer(r"url_for\(\s*[\"']([\w.]+)[\"']", source)]


def _calls(source: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
