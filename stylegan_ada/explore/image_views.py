"""What is asked of the generator: images, what is made of their latents, and the tray."""

from typing import Any

from flask import Response

from ..errors import UserError
from .asked import Asked, finite
from .commands import of_seeds, of_tray
from .session import Session
from .take_along import tray_file
from .workbench import MOST_FRAMES, MOST_SEEDS

MOST_SEED = 2**53  # beyond it JavaScript's numbers are no longer whole
FARTHEST = 20  # standard deviations


class ImageViews:
    """Each answers a request of its name in `app.ROUTES`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def images(self) -> Any:
        asked, bench = Asked(), self._session.bench()
        first, count = asked.whole("first", 0, MOST_SEED), asked.whole("count", 1, MOST_SEEDS)
        psi, label = asked.number("psi", 0, 2), bench.label_of(asked.mapping("label"))
        return {
            "items": bench.seeds(first, count, label, psi),
            "command": of_seeds(self._session.run, first, count, label, psi),
            "remarks": [] if label is None else bench.generator.labels.remarks(label),
        }

    def item(self, name: str) -> Any:
        bench = self._session.bench()
        item = bench.shelf.get(name)
        w = item.latents.w[0, :1] if item.latents.space == "w" else item.latents.w[0]
        return bench.shown([item])[0] | {"w": [[round(one, 4) for one in layer] for layer in w.tolist()]}

    def nearest(self, name: str) -> Any:
        bench = self._session.bench()
        latents = bench.shelf.get(name).latents
        images, _ = bench.painter.paint(latents.w, latents.noise)
        return {"images": self._session.real().nearest(images[0])}

    def varied(self) -> Any:
        asked, bench = Asked(), self._session.bench()
        strength, seed = asked.number("strength", 0, 1), asked.whole("seed", 0, 2**31)
        return {"items": bench.varied(asked.text("id"), strength, asked.whole("count", 1, MOST_SEEDS), seed)}

    def moved(self) -> Any:
        asked, bench = Asked(), self._session.bench()
        moves = {name: finite(value, -FARTHEST, FARTHEST, name) for name, value in asked.mapping("moves").items()}
        return bench.moved(asked.text("id"), moves, asked.text("stream") or None)

    def mixed(self) -> Any:
        asked, bench = Asked(), self._session.bench()
        last_of_all = bench.generator.network.num_ws - 1
        first = asked.whole("first", 0, last_of_all)
        return bench.mixed(asked.text("id"), asked.text("other"), first, asked.whole("last", first, last_of_all))

    def interpolated(self) -> Any:
        asked, bench = Asked(), self._session.bench()
        frames = asked.whole("frames", 2, MOST_FRAMES)
        return {"items": bench.interpolated(asked.text("id"), asked.text("other"), frames)}

    def tray(self) -> Any:
        bench = self._session.bench()
        return {"items": bench.shown(list(bench.shelf.tray().values())), "command": of_tray(self._session.run)}

    def keep(self) -> Any:
        asked, bench = Asked(), self._session.bench()
        if asked.flag("kept"):
            bench.shelf.keep(asked.text("id"))
        else:
            bench.shelf.drop(asked.text("id"))
        return self.tray()

    def tray_zip(self) -> Response:
        bench = self._session.bench()
        items = list(bench.shelf.tray().values())
        if not items:
            raise UserError("the tray is empty: keep some images first")
        attached = {"Content-Disposition": "attachment; filename=tray.zip"}
        return Response(tray_file(bench.generator, items), mimetype="application/zip", headers=attached)
