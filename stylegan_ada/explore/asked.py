"""The values of a request, checked: whoever has the token may still send anything."""

import math
from typing import Any

from flask import request

from ..errors import UserError

MOST_JSON = 2**20  # bytes
MOST_VALUES = 1000
MOST_LETTERS = 1000


class Asked:
    """Of a request's JSON, or of `values`. UserError for what is missing, or of another kind."""

    def __init__(self, values: Any = None) -> None:
        if values is None:
            if (request.content_length or 0) > MOST_JSON:
                raise UserError("the request is too long")
            values = request.get_json(silent=True)
        if not isinstance(values, dict):
            raise UserError("the request is no JSON object")
        self._values = values

    def whole(self, name: str, low: int, high: int) -> int:
        value = self._values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise UserError(f"{name}: give a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        return finite(self._values.get(name), low, high, name)

    def text(self, name: str) -> str:
        value = self._values.get(name, "")
        if not isinstance(value, str) or len(value) > MOST_LETTERS:
            raise UserError(f"{name}: give a text")
        return value

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._values.get(name) or {}
        if not isinstance(value, dict) or len(value) > MOST_VALUES:
            raise UserError(f"{name}: give an object")
        return value


def finite(value: Any, low: float, high: float, name: str) -> float:
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not low <= value <= high or not math.isfinite(value):
        raise UserError(f"{name[:100]}: give a number from {low:g} to {high:g}")
    return float(value)
