"""One thread that makes images of latents: what is asked for together is one batch, and what is stale is left out."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError
from ..projection.latents import render_pairs
from ..sampling import TrainedGenerator

CLOSED = "a newer generator was opened meanwhile: ask again"
MOST = 64  # images of a batch, beyond a single request

Pairs = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Stale(Exception):
    """A newer request of the same stream has come."""


@dataclass(eq=False)
class _Request:
    w: Tensor
    noise: Tensor
    stream: str | None
    answer: "Future[Pairs]" = field(default_factory=Future)


class Painter:
    """Use `close` at the end."""

    def __init__(self, generator: TrainedGenerator) -> None:
        self._generator = generator
        self._waiting: list[_Request] = []
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._run, name="painter", daemon=True).start()

    def paint(self, w: Tensor, noise: Tensor, stream: str | None = None) -> Pairs:
        """Images, uint8 [N, H, W, C], and masks, [N, H, W, K], of w [N, num_ws, w_dim] and noise [N, noise_size]. Waits
        for them. stream: a slider, of which only the newest request counts: Stale for others that still wait. UserError
        where another generator has taken its place."""
        request = _Request(w, noise, stream)
        with self._changed:
            if self._closed:
                raise UserError(CLOSED)
            if stream is not None:
                old = [one for one in self._waiting if one.stream == stream]
                self._waiting = [one for one in self._waiting if one.stream != stream]
                for one in old:
                    one.answer.set_exception(Stale())
            self._waiting.append(request)
            self._changed.notify()
        return request.answer.result()

    def close(self) -> None:
        """Whoever waits, or asks later, is told."""
        with self._changed:
            self._closed = True
            for one in self._waiting:
                one.answer.set_exception(UserError(CLOSED))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                requests = self._next()
            try:
                w, noise = (torch.cat([getattr(one, name) for one in requests]) for name in ("w", "noise"))
                images, masks = render_pairs(self._generator, w, noise)
            except Exception as error:  # whoever asked is told
                for one in requests:
                    one.answer.set_exception(error)
                continue
            first = 0
            for one in requests:
                part = slice(first, first := first + len(one.w))
                one.answer.set_result((images[part], masks[part]))

    def _next(self) -> list[_Request]:
        """Takes the requests of the next batch: the first, and others while there is room."""
        taken = [self._waiting.pop(0)]
        count = len(taken[0].w)
        for one in list(self._waiting):
            if count + len(one.w) <= MOST:
                self._waiting.remove(one)
                taken.append(one)
                count += len(one.w)
        return taken
