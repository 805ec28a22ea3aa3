"""Selecting a class's images from its candidates: in the order of their seeds, until there are enough."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .filters import DUPLICATE, KEPT, REASONS, Duplicates, Judgement
from .plan import BLOCK

MOST_TRIES = 10  # times as many candidates as images asked for: then a class stays smaller


@dataclass(frozen=True)
class Chosen:
    """An image of the set: its place among the candidates of its class, and its scores by the manifest's column."""

    block: int
    position: int
    scores: dict[str, float]


class Selection:
    """Takes a class's blocks one after the other, and keeps no more than `count` images.

    candidates: looked at until there were enough; rejected: how many of them, by reason.
    """

    def __init__(self, count: int, duplicates: Duplicates | None = None):
        self.count, self.duplicates = count, duplicates
        self.chosen: list[Chosen] = []
        self.blocks = 0
        self.candidates = 0
        self.rejected: Counter[str] = Counter()
        self._features: list[np.ndarray] = []
        self._thumbnails: list[np.ndarray] = []

    def next_blocks(self) -> range:
        """The blocks to make next: as many as seem needed by the share that was kept so far; none when done."""
        missing = self.count - len(self.chosen)
        most = -(-self.count // BLOCK) * MOST_TRIES
        kept = len(self.chosen) / self.candidates if self.candidates else 1.0
        needed = int(np.ceil(missing / BLOCK / max(kept, 1 / MOST_TRIES)))
        return range(self.blocks, min(self.blocks + needed, most))

    def add(self, block: Judgement) -> None:
        """Looks at the next block."""
        to_earlier = self._to_earlier(block)
        among = None if self.duplicates is None else self.duplicates.among(block)
        taken: list[int] = []
        for position, verdict in enumerate(block.verdicts):
            if len(self.chosen) == self.count:
                break
            self.candidates += 1
            distance = to_earlier[position]
            if among is not None and taken:
                distance = min(distance, among[position, taken].min())
            if verdict == KEPT and distance < 1:
                verdict = DUPLICATE
            if verdict != KEPT:
                self.rejected[REASONS[int(verdict)]] += 1
                continue
            scores = {name: float(values[position]) for name, values in block.scores.items()}
            if among is not None:
                scores["duplicate_distance"] = float(distance)
            self.chosen.append(Chosen(self.blocks, position, scores))
            taken.append(position)
        self._features.append(block.features[taken])
        self._thumbnails.append(block.thumbnails[taken])
        self.blocks += 1

    def _to_earlier(self, block: Judgement) -> np.ndarray:
        """[n]: how far each candidate is from the images of earlier blocks."""
        if self.duplicates is None or not self.chosen:
            return np.full(len(block.verdicts), np.inf)
        return self.duplicates.to_nearest(block, np.concatenate(self._features), np.concatenate(self._thumbnails))
