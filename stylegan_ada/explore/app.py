"""What the server answers: the page's files, and JSON of what is asked for. Paths never come from the client."""

from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from flask import Flask, Response

from ..errors import UserError, shown
from .guard import guard
from .image_views import ImageViews
from .painter import Stale
from .session import Session
from .work_views import WorkViews

KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
MOST_UPLOAD = 64 * 2**20  # bytes
ROUTES = (  # method, address, view
    ("GET", "about", WorkViews.about),
    ("POST", "reload", WorkViews.reload),
    ("GET", "training", WorkViews.training),
    ("GET", "samples/<int:number>", WorkViews.samples),
    ("POST", "projections", WorkViews.project),
    ("POST", "sets", WorkViews.make_set),
    ("GET", "jobs", WorkViews.jobs),
    ("GET", "jobs/<int:number>", WorkViews.job),
    ("POST", "jobs/<int:number>/stop", WorkViews.stop),
    ("POST", "images", ImageViews.images),
    ("GET", "items/<name>", ImageViews.item),
    ("GET", "items/<name>/nearest", ImageViews.nearest),
    ("POST", "varied", ImageViews.varied),
    ("POST", "moved", ImageViews.moved),
    ("POST", "mixed", ImageViews.mixed),
    ("POST", "interpolated", ImageViews.interpolated),
    ("GET", "tray", ImageViews.tray),
    ("POST", "tray", ImageViews.keep),
    ("GET", "tray.zip", ImageViews.tray_zip),
)


def make_app(session: Session, token: str, host: str) -> Flask:
    """The application. Every address begins with the token. host: on which the server listens."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_UPLOAD
    app.json.sort_keys = False  # type: ignore[attr-defined]
    guard(app, token, host)
    views = {WorkViews: WorkViews(session), ImageViews: ImageViews(session)}
    for method, address, view in ROUTES:
        owner = next(one for kind, one in views.items() if hasattr(kind, view.__name__))
        app.add_url_rule(f"/{token}/api/{address}", view.__name__, getattr(owner, view.__name__), methods=[method])
    app.add_url_rule(f"/{token}/", "page", lambda: static_file("page.html"))
    app.add_url_rule(f"/{token}/<name>", "static_file", static_file)
    app.register_error_handler(UserError, _refused)
    app.register_error_handler(Stale, _stale)
    app.register_error_handler(OSError, _not_there)
    return app


def static_file(name: str) -> Response:
    """A file of the page."""
    known = {path.name: path for path in (files(__package__) / "static").iterdir()}
    kind = KINDS.get(PurePosixPath(name).suffix)
    if kind is None or name not in known:
        return Response("", 404)
    return Response(known[name].read_bytes(), mimetype=kind)


def _refused(error: UserError) -> tuple[dict[str, str], int]:
    return {"error": shown(str(error).replace("`", ""))}, 400


def _stale(error: Stale) -> tuple[dict[str, Any], int]:
    return {"error": "a newer request has come", "stale": True}, 409


def _not_there(error: OSError) -> tuple[dict[str, str], int]:
    """Such as of a run that was deleted, or a full disk."""
    return {"error": shown(f"{error.filename or 'a file'}: {error.strerror or error}")}, 409
