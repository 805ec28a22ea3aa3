"""The verdict of a check: the augmentations that show in generated images, in figures and words."""

import json
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from ..files import write_text
from ..metrics.mathematics.intervals import NORMAL_95

AS_IT_IS = "as it is"  # the name of images without augmentation
LEAK = 0.02  # share of images: an augmentation that shows in so many more of them leaks
LEARNED = 0.8  # share of images at p = 0 that must look so, for the others to say anything


def leaks(share: float, without: float, count: int) -> bool:
    """Whether an augmentation shows in more than LEAK of the images beyond what is taken for it `without` it, both of
    `count` images, by more than chance (95%)."""
    error = sqrt((share * (1 - share) + without * (1 - without)) / count)
    return share - without > LEAK and share - without > NORMAL_95 * error


@dataclass(frozen=True, kw_only=True)
class LeakVerdict:
    """Shares of images by augmentation, AS_IT_IS first; they are from 0 to 1.

    recognised: of real images so augmented, those that the classifier takes for it. shares: by p, which are 0,
    `p` and 1, what the classifier takes `generated` images for, of a generator that was trained at it.
    """

    p: float
    generated: int
    recognised: dict[str, float]
    shares: dict[float, dict[str, float]]

    @property
    def leaking(self) -> list[str]:
        """The augmentations that show in the images of the generator trained at p."""
        return [name for name in self._augmentations if self._shows(name, self.p)]

    @property
    def not_shown(self) -> list[str]:
        """The augmentations that do not show even at p = 1."""
        return [name for name in self._augmentations if not self._shows(name, 1.0)]

    @property
    def _augmentations(self) -> list[str]:
        return [name for name in self.recognised if name != AS_IT_IS]

    def _shows(self, name: str, p: float) -> bool:
        return leaks(self.shares[p][name], self.shares[0.0][name], self.generated)

    def lines(self) -> list[str]:
        """The table, and what it says."""
        return [*self._table(), "", *self._findings()]

    def _table(self) -> list[str]:
        columns = ["recognised", *(f"p = {value:g}" for value in self.shares)]
        lines = [f"{'':24}" + "".join(f"{column:>12}" for column in columns)]
        for name, right in self.recognised.items():
            values = [right, *(found[name] for found in self.shares.values())]
            lines.append(f"{name:24}" + "".join(f"{value:12.1%}" for value in values))
        lines.append(
            "recognised: share of real images, augmented this way, that the classifier recognises; "
            f"p: of {self.generated} images of a generator trained at that p"
        )
        return lines

    def _findings(self) -> list[str]:
        p, at_zero, at_p, at_one = self.p, self.shares[0.0], self.shares[self.p], self.shares[1.0]
        lines = []
        if at_zero[AS_IT_IS] < LEARNED:
            lines.append(
                f"at p = 0 only {at_zero[AS_IT_IS]:.0%} look like real images as they are: the generators have not "
                "learned enough for a result, give a larger `kimg`"
            )
        for name in self.leaking:
            lines.append(
                f"{name} leaks at p = {p:g}: {at_p[name] - at_zero[name]:+.1%} of the images; "
                "leave it out, or cap p lower by `ada_max`"
            )
        if not self.leaking:
            lines.append(f"at p = {p:g} nothing leaks: no augmentation shows in 2% more of the images than at p = 0")
        if self.not_shown:
            lines.append(_not_shown(self.not_shown, max(self._augmentations, key=at_one.__getitem__), at_one))
        return lines

    def write(self, path: Path) -> None:
        """Writes the verdict as JSON."""
        found = {
            "p": self.p,
            "generated": self.generated,
            "recognised": self.recognised,
            "leaking": self.leaking,
            "not_shown": self.not_shown,
            "shares": {f"{value:g}": shares for value, shares in self.shares.items()},
        }
        write_text(path, json.dumps(found, indent=1) + "\n")


def _not_shown(unseen: list[str], commonest: str, at_one: dict[str, float]) -> str:
    """The meaning of augmentations not being found even at p = 1, where they are applied to every image."""
    names = ", ".join(unseen)
    if at_one[commonest] > 0.5:
        return (
            f"at p = 1, where every image is augmented, {at_one[commonest]:.0%} are taken for {commonest}, and each is "
            f"counted once: only a check without {commonest} can show whether {names} would be found there"
        )
    return f"not found at p = 1 either: {names}; so it means nothing that they are not found at a lower p"
