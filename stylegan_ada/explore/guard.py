"""Who may ask the server: whoever knows the token, from a page of its own."""

import hmac
import ipaddress
import socket

from flask import Flask, Request, Response, abort, request
from werkzeug.exceptions import HTTPException

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
}


def guard(app: Flask, token: str, host: str) -> None:
    """Refuses requests without the token in their path (404), for another Host, as DNS rebinding makes them, or from a
    page of another origin (403). host: on which the server listens."""

    @app.before_request
    def check() -> None:
        first = request.path.split("/")[1:2]
        if not first or not hmac.compare_digest(first[0].encode("utf-8", "replace"), token.encode()):
            abort(404)
        if not _host_fits(request, host) or not _origin_fits(request):
            abort(403)

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> tuple[dict[str, str], int]:
        return {"error": error.description or error.name}, error.code or 400


def _host_fits(asked: Request, host: str) -> bool:
    """Of a server on this machine alone localhost with any port, which a tunnel may change; of others also addresses,
    and this machine's names: to rebind, a name of someone else's is needed."""
    name = asked.host.rsplit(":", 1)[0].strip("[]").lower() if not asked.host.endswith("]") else asked.host.strip("[]")
    if name in ("localhost", "127.0.0.1", "::1", host.lower()):
        return True
    if (_is_address(host) and ipaddress.ip_address(host).is_loopback) or host == "localhost":
        return False
    return _is_address(name) or name in (socket.gethostname().lower(), socket.getfqdn().lower())


def _origin_fits(asked: Request) -> bool:
    origin = asked.headers.get("Origin")
    return origin is None or origin.split("://", 1)[-1] == asked.host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
