import csv
import io

import pytest

from utils.spreadsheet import csv_lines


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"])
def test_a_formula_is_text(cell):
    text = "".join(csv_lines(("a",), [(cell,)]))

    assert list(csv.reader(io.StringIO(text, newline="")))[1] == [f"'{cell}"]


@pytest.mark.parametrize("cell", ['O"Neill, "Peg"', "two\nlines", "李小龙", "", "a;b"])
def test_everything_else_comes_back_as_it_was(cell):
    text = "".join(csv_lines(("a", "b"), [(cell, None)]))

    assert list(csv.reader(io.StringIO(text, newline="")))[1] == [cell, ""]
