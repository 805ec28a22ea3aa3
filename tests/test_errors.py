import pytest

from stylegan_ada.errors import first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n  one\ntwo"), "one"),
        (ValueError(" \n"), "ValueError"),
        (EOFError(), "EOFError"),
    ],
)
def test_the_first_line_of_an_error(error, line):
    assert first_line(error) == line
