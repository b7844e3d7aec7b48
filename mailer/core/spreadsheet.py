"""CSV that a spreadsheet reads as text: quoted, and never as a formula (OWASP ASVS 5.0 §1.2.10, RFC 4180)."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA_BEGINS = frozenset("=+-@\t\r\x00＝＋－＠")


def cell(value: object) -> str:
    """One cell; where it begins as a formula does, an apostrophe stands before it."""
    text = str(value)
    return f"'{text}" if text[:1] in FORMULA_BEGINS or text.lstrip()[:1] in FORMULA_BEGINS else text


def table(rows: Iterable[Sequence[object]]) -> str:
    """The rows, every cell in quotes, lines ended by CR LF; a mark of UTF-8 stands first, as spreadsheets want it."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([cell(each) for each in row] for row in rows)
    return "\ufeff" + out.getvalue()
