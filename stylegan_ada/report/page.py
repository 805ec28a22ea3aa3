"""What is on the page, and its HTML: no script, nothing from elsewhere, everything escaped."""

import base64
import io
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment
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
class Page:
    """All text is plain and may hold anything. facts, options: pairs of name and value. config: JSON."""

    title: str
    facts: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    footnotes: tuple[str, ...]
    pictures: tuple[Picture, ...]
    options: tuple[tuple[str, str], ...]
    config: str
    version: str


def render(page: Page) -> str:
    """The page as HTML."""
    source = (files(__package__) / "page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source).render(page=page)
