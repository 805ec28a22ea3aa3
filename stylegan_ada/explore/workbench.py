"""What a page does with a generator: images of seeds, and latents moved, mixed and varied."""

import base64
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from ..errors import UserError
from ..labels.attribute import NUMBER, SEVERAL
from ..labels.texts import label_text
from ..pictures.files import encode
from ..pictures.masks import marked_on
from ..projection.directions import COUNT, Directions, edit, named_direction, value_pairs, varied_numbers
from ..projection.latent_sets import interpolated, mixed
from ..projection.latents import Latents, digest, vary
from ..sampling import TrainedGenerator
from .asked import finite
from .painter import Painter
from .shelf import Item, Shelf

MOST_SEEDS = 64  # images of a page
MOST_FRAMES = 48
FAR = 1e30  # a number beyond is none
SLIDERS = 8  # directions between classes that are offered


class Workbench:
    """A generator, the thread that paints for it, and what it has shown."""

    def __init__(self, generator: TrainedGenerator) -> None:
        self.generator = generator
        self.shelf = Shelf()
        self.painter = Painter(generator)
        self.digest = digest(generator)
        self._directions: dict[str, Directions] = {}
        self._finding = threading.Lock()

    def seeds(self, first: int, count: int, label: str | None, truncation_psi: float) -> list[dict[str, Any]]:
        """The images of the seeds first ... first + count - 1, as `TrainedGenerator.sample` makes them."""
        generator, numbers = self.generator, range(first, first + count)
        labels = None if label is None else [label] * count
        w, noise, texts = generator.latents(numbers, labels, truncation_psi)
        made = [
            Item(
                latents=Latents(w[i : i + 1], noise[i : i + 1], tuple(texts[i : i + 1]), "w", self.digest),
                origin=f"seed {seed}" + (f", psi {truncation_psi:g}" if truncation_psi != 1 else ""),
                seed=seed,
            )
            for i, seed in enumerate(numbers)
        ]
        return self.shown(made)

    def varied(self, name: str, strength: float, count: int, seed: int) -> list[dict[str, Any]]:
        """Neighbours of an image, of its label where it has one."""
        one = self.shelf.get(name)
        label = one.latents.labels[0] if one.latents.labels else None
        w = vary(self.generator, one.latents.w[0], strength, count, seed, label)
        latents = replace(
            one.latents, w=w, noise=one.latents.noise.expand(count, -1), labels=one.latents.labels * count
        )
        return self.shown(
            [
                Item(latents=latents.pick(index), origin=f"neighbour of {one.origin}, strength {strength:g}")
                for index in range(count)
            ]
        )

    def moved(self, name: str, moves: Mapping[str, float], stream: str | None) -> dict[str, Any]:
        """An image moved along directions, by amounts in standard deviations."""
        one = self.shelf.get(name)
        w = one.latents.w
        for direction, amount in moves.items():
            if amount:
                w = edit(w, self.direction(direction), direction, amount)
        words = ", ".join(f"{direction} {amount:+g}" for direction, amount in moves.items() if amount)
        item = Item(latents=replace(one.latents, w=w), origin=f"{one.origin}, {words}" if words else one.origin)
        return self.shown([item if words else one], stream)[0]

    def mixed(self, name: str, other: str, first: int, last: int) -> dict[str, Any]:
        """An image with the layers `first` to `last` of another."""
        a, b = self.shelf.get(name), self.shelf.get(other)
        made = mixed(a.latents, b.latents, [(first, last)])
        return self.shown(
            [Item(latents=made.latents.pick(2), origin=f"{a.origin}, layers {first}-{last} of {b.origin}")]
        )[0]

    def interpolated(self, name: str, other: str, frames: int) -> list[dict[str, Any]]:
        """From an image to another, both included."""
        a, b = self.shelf.get(name), self.shelf.get(other)
        made = interpolated(a.latents, b.latents, frames).latents
        between = [
            Item(latents=made.pick(index), origin=f"between {a.origin} and {b.origin}, {index}/{frames - 1}")
            for index in range(1, frames - 1)
        ]
        return self.shown([a, *between, b])

    def shown(self, items: Sequence[Item], stream: str | None = None) -> list[dict[str, Any]]:
        """The items as the page has them, made as one batch; puts them on the shelf."""
        if not items:
            return []
        w, noise = (torch.cat([getattr(one.latents, name) for one in items]) for name in ("w", "noise"))
        images, masks = self.painter.paint(w, noise, stream)
        marked = marked_on(images, masks) if masks.shape[3] else None
        return [
            {
                "id": self.shelf.put(item),
                "origin": item.origin,
                "seed": item.seed,
                "label": item.latents.labels[0] if item.latents.labels else "",
                "png": as_text(image),
                "marked": None if marked is None else as_text(marked[index]),
            }
            for index, (item, image) in enumerate(zip(items, images, strict=True))
        ]

    def direction_names(self) -> dict[str, list[str]]:
        """The directions that a page offers: principal ones; numbers, and from one class or value to another."""
        generator = self.generator
        principal = [f"pc{index + 1}" for index in range(min(COUNT, generator.info.network.w_dim))]
        if generator.labels.is_flat and generator.classes:
            start = generator.classes[int(np.argmax(generator.info.class_counts))]
            pairs = [f"{start}>{end}" for end in generator.classes if end != start]
        else:
            pairs = [f"{start}>{end}" for start, end in value_pairs(generator.labels)]
        numbers = [number.name for number in varied_numbers(generator.labels)]
        return {"principal": principal, "labels": [*numbers, *pairs][:SLIDERS]}

    def direction(self, name: str) -> Directions:
        """Found when it is first asked for."""
        with self._finding:
            if name not in self._directions:
                offered = self.direction_names()
                if name not in offered["principal"] + offered["labels"]:
                    raise UserError(f"no direction {name!r} is offered")
                found = named_direction(self.generator, name)
                self._directions |= dict.fromkeys(found.names, found)
            return self._directions[name]

    def label_of(self, values: Mapping[str, Any]) -> str | None:
        """The text of a label from what a page chose: by an attribute's name a text, a number or a list of texts. None
        if it chose nothing. UserError for what there is not."""
        space = self.generator.labels
        if not values:
            return None
        named: dict[str, Any] = {}
        for name, value in values.items():
            attribute = space.attribute(str(name)[:100], "label")
            if attribute.kind == NUMBER:
                named[name] = finite(value, -FAR, FAR, name)
                continue
            known = value if isinstance(value, list) and attribute.kind == SEVERAL else [value]
            if any(one not in attribute.values for one in known):
                raise UserError(f"`label` {name}: no such value")
            named[name] = tuple(one for one in attribute.values if one in known) if known is value else value
        if space.is_flat:
            return str(named[space.attributes[0].name])
        chosen = [attribute for attribute in space.attributes if attribute.name in named]
        return label_text(chosen, [named[attribute.name] for attribute in chosen])

    def take_over(self, other: "Workbench") -> None:
        """The tray of the workbench of an earlier generator of the run: its latents give this one's images now."""
        for item in other.shelf.tray().values():
            own = replace(item, latents=replace(item.latents, generator=self.digest))
            self.shelf.keep(self.shelf.put(own))

    def close(self) -> None:
        self.painter.close()


def as_text(image: Any) -> str:
    """A PNG of uint8 [H, W, C] as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(encode(image)).decode()}"
