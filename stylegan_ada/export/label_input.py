"""The input `label` of attributes in plain data, for programs that know nothing of this package."""

from collections.abc import Sequence
from typing import Any

from ..labels.attribute import CATEGORY, NUMBER, SEVERAL, YESNO, Attribute, slices

WORDS = {
    CATEGORY: "1 at the place of its value, 0 elsewhere",
    YESNO: "1 at the place of its value, 0 elsewhere",
    SEVERAL: "1 at the place of each of its values, 0 elsewhere",
    NUMBER: "(x - mean) / spread of x clipped to low..high, then 1",
}
UNKNOWN = "; where it is unknown 1 at the last place, 0 elsewhere"


def described_attributes(attributes: Sequence[Attribute]) -> list[dict[str, Any]]:
    """For JSON: of each attribute name, kind, slice ([start, stop) of the label vector), values, unknown (whether it
    may be), of a number mean, spread, low and high, and vector, in words what its slice holds."""
    described = []
    for one, part in zip(attributes, slices(attributes), strict=True):
        numbers = {"mean": one.mean, "spread": one.spread, "low": one.low, "high": one.high}
        described.append(
            {
                "name": one.name,
                "kind": one.kind,
                "slice": [part.start, part.stop],
                "values": list(one.values),
                "unknown": one.unknown,
                **(numbers if one.kind == NUMBER else {}),
                "vector": WORDS[one.kind] + UNKNOWN * one.unknown,
            }
        )
    return described
