"""The training steps that are measured. This and what starts the parts needs nothing but Python."""

from typing import NamedTuple


class Case(NamedTuple):
    batch: int
    precision: str = "bf16"
    way: str = "as it is"


CASES = {  # at 256x256, channel base 16384; the first is what `train` chooses on a GPU
    "headline": Case(32),
    "channels-last": Case(32, way="channels last"),
    "batch16": Case(16),
    "batch4": Case(4),
    "fp16": Case(32, "fp16"),
    "plain": Case(16, way="plain"),
}
PROFILED, CPU_TIMED = CASES["headline"], CASES["batch4"]
