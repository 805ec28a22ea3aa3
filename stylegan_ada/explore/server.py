"""Serving the page on this machine, until it is ended."""

import os
import secrets
import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ..errors import UserError
from .app import make_app
from .beside import wait_for_run
from .session import Session


class Quiet(WSGIRequestHandler):
    """Says nothing of requests: their addresses hold the token."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def serve(
    run: Path,
    *,
    data: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    device: str = "auto",
    hide_real: bool = False,
    browser: bool = True,
    with_parent: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Serves until SIGINT or SIGTERM. port: 0 for any that is free. hide_real: shows no real images. browser: opens the
    page where there is a screen. with_parent: for a training that started this process, with which it ends. UserError
    for a run that is none, or an address that cannot be had."""
    if with_parent:
        wait_for_run(run)
    session = Session(run, data, device, hide_real)
    token = secrets.token_urlsafe(24)
    server = open_server(session, token, host, port)
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
    url = f"http://{shown}:{server.port}/{token}/"
    say(url)
    say("whoever has this address can use the page; Ctrl-C ends it")
    if browser and _has_screen():
        webbrowser.open(url)
    if with_parent:
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        say("the page is closed")


def open_server(session: Session, token: str, host: str, port: int) -> BaseWSGIServer:
    """UserError for an address that cannot be had."""
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"`host` {host}, `port` {port}: cannot listen there ({reason}), give others") from None
    with listener:  # werkzeug takes a copy: on its own it ends the program where it cannot listen
        app = make_app(session, token, host)
        return make_server(host, port, app, threaded=True, request_handler=Quiet, fd=listener.fileno())


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
