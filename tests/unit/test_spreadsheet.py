"""Cells that a spreadsheet must not read as formulas."""

import pytest

from mailer.core import spreadsheet


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+1|cmd", "@SUM(A1)", "\t=1", "\r=1", "-", "＝1+1", "\x00=1", " =1"])
def test_what_begins_as_a_formula_is_read_as_text(cell: str) -> None:
    """OWASP ASVS 5.0 §1.2.10."""
    assert spreadsheet.cell(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["anna@example.org", "O'Brien", "'=1", "Anna;Berg", "line\nbreak", ""])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert spreadsheet.cell(cell) == cell


def test_every_cell_is_quoted_and_quotes_are_doubled() -> None:
    assert spreadsheet.table([("a", 'b"c')]) == '\ufeff"a","b""c"\r\n'
