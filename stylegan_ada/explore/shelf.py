"""The latents that a page has shown, by their names, and the tray of those to take along."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from ..errors import UserError
from ..projection.latents import Latents

MOST_BYTES = 256 * 2**20  # of latents that are not in the tray
MOST_KEPT = 500  # in the tray


@dataclass(frozen=True, eq=False, kw_only=True)
class Item:
    """latents: one. origin: where it comes from, in words. seed: None where it is of no seed alone."""

    latents: Latents
    origin: str
    seed: int | None = None

    @property
    def name(self) -> str:
        """16 hexadecimal digits: the same latent of the same label has the same name."""
        found = hashlib.sha256("".join(self.latents.labels).encode())
        for part in (self.latents.w, self.latents.noise):
            found.update(part.float().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()[:16]

    @property
    def size(self) -> int:
        """In bytes."""
        return self.latents.w.nbytes + self.latents.noise.nbytes


class Shelf:
    """Keeps what was shown last, up to a size, and the tray. Any thread may ask."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._shown: OrderedDict[str, Item] = OrderedDict()
        self._tray: dict[str, Item] = {}
        self._lock = threading.Lock()

    def put(self, item: Item) -> str:
        name = item.name
        with self._lock:
            self._shown[name] = item
            self._shown.move_to_end(name)
            total = sum(one.size for one in self._shown.values())
            while total > self._most_bytes and len(self._shown) > 1:
                total -= self._shown.popitem(last=False)[1].size
        return name

    def get(self, name: str) -> Item:
        """UserError for one that is not there, or no longer."""
        with self._lock:
            item = self._tray.get(name) or self._shown.get(name)
            if item is None:
                raise UserError("this image is no longer known, since many others came after it: make it again")
            if name in self._shown:
                self._shown.move_to_end(name)
            return item

    def keep(self, name: str) -> None:
        """Puts it into the tray."""
        item = self.get(name)
        with self._lock:
            if name not in self._tray and len(self._tray) >= MOST_KEPT:
                raise UserError(f"the tray holds {MOST_KEPT} images: take them along, then remove some")
            self._tray[name] = item

    def drop(self, name: str) -> None:
        """Takes it out of the tray, if it is there."""
        with self._lock:
            item = self._tray.pop(name, None)
        if item is not None:
            self.put(item)

    def tray(self) -> dict[str, Item]:
        """In the order in which they were kept."""
        with self._lock:
            return dict(self._tray)
