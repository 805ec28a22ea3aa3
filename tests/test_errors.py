from typing import Any

import pytest

from stylegan_ada.errors import RunFailed, UserError, cannot_write, first_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (ValueError("\n  one\ntwo"), "one"),
        (ValueError(" \n"), "ValueError"),
        (EOFError(), "EOFError"),
    ],
)
def test_the_first_line_of_an_error(error: Any, line: str) -> None:
    assert first_line(error) == line


@pytest.mark.parametrize(("number", "kind"), [(28, RunFailed), (5, RunFailed), (13, UserError), (2, UserError)])
def test_a_full_disk_is_no_mistake_and_a_place_that_cannot_be_written_is_one(number: int, kind: type) -> None:
    assert type(cannot_write(OSError(number, "why"), "what")) is kind
