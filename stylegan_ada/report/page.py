"""The parts of the page, and its HTML: no script, nothing from elsewhere, everything escaped."""

import base64
import io
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, FunctionLoader
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Picture:
    """title, caption: plain text. image: what is shown, at its own size or smaller."""

    title: str
    caption: str
    image: Image.Image
    lossless: bool = True

    @property
    def uri(self) -> str:
        """The picture itself, as a data URI."""
        buffer = io.BytesIO()
        kind = "png" if self.lossless else "jpeg"
        self.image.convert("RGB").save(buffer, kind, quality=90)
        return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A metric's result as text: its name, value, interval, meaning, and lines of detail as (value, words)."""

    name: str
    value: str
    interval: str
    meaning: str
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """All text is plain and may hold anything. facts, options: pairs of name and value. pixels: statistics,
    as `pixel_table` words them. masks: kinds with lines, as `mask_table` words them. config: JSON."""

    title: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    footnotes: tuple[str, ...]
    pixels: tuple[tuple[str, str, str, str, str], ...]
    masks: tuple[tuple[str, list[tuple[str, str, str]]], ...] = ()
    masks_footnote: str = ""
    pictures: tuple[Picture, ...]
    options: tuple[tuple[str, str], ...]
    config: str
    version: str


def render_page(page: object, template: str | None = None) -> str:
    """The page as HTML. template: what to show it by, that of a `RunPage` if not given; it may extend base.html and
    import parts.html."""

    def source(name: str) -> str:
        return (files(__package__) / name).read_text(encoding="utf-8")

    surroundings = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(source))
    return surroundings.from_string(template or source("page.html")).render(page=page)
