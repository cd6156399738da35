"""The rating page, served to a class.

The server is waitress: it reads whole requests in one thread before a worker gets them, so that
slow or silent visitors hold nobody up, and it ends those that are too long. The server of Python's
standard library does neither. No request reaches the file system: the page's files are read once,
and pictures come out of the study by their random names.
"""

import http
import http.cookies
import json
import logging
import re
import socket
from pathlib import Path

from keras_design_gans.studies.store import TOKEN, Refused, Study

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/texts.js": ("texts.js", "text/javascript; charset=utf-8"),
}
PICTURE = re.compile(f"/pictures/({TOKEN.pattern})")
MAX_BODY, MAX_HEADERS = 4096, 16_384  # bytes
THREADS, CONNECTIONS = 8, 500  # a browser may open six for each of its pages
STATUS = {"page": 404, "item": 404, "method": 405, "type": 415, "repeated": 409, "full": 503}
STATUS |= {"answers": 400, "join": 403, "closed": 403}
JSON = "application/json"
FRESH = ("Cache-Control", "no-store")
FOREVER = ("Cache-Control", "private, max-age=31536000, immutable")
COOKIE_FLAGS = "Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict"
HEADERS = [
    # Nothing from other hosts, and no script but the page's own, whatever a name contains.
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]


def serve(path, host="127.0.0.1", port=8000):
    """Serves a study until it is interrupted.

    Args:
        path: File of the study.
        host: Address to listen on: `"127.0.0.1"` for this machine only, `"0.0.0.0"` for all in its
            network.
        port: Port to listen on; 0 takes a free one.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no study.
        ImportError: If waitress is not installed.
        OSError: If the port is taken.
    """
    study = Study(path)
    try:
        import waitress
    except ImportError as error:
        raise ImportError(
            "Serving a study needs waitress: pip install 'keras-design-gans[studies]'. "
            f"The import failed: {error}"
        ) from error
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # 30 raters at once are no warning
    server = waitress.create_server(
        application(study),
        host=host,
        port=port,
        threads=THREADS,
        connection_limit=CONNECTIONS,
        max_request_body_size=MAX_BODY,
        max_request_header_size=MAX_HEADERS,
        ident=None,
    )
    name = own_address() if host == "0.0.0.0" else host
    print(f"{study.path}: http://{name}:{server.effective_port}  (Ctrl+C stops)", flush=True)
    # Open all the time, so that SQLite does not tidy up its log after each request.
    with study.open() as db:
        db.execute("SELECT 1 FROM settings").fetchone()
        server.run()


def own_address():
    """Returns the address of this machine in its network, as far as it is known."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()


def application(study):
    """Returns a study as a WSGI application."""
    files = {path: ((PAGE / name).read_bytes(), kind) for path, (name, kind) in FILES.items()}

    def respond(environ, start_response):
        status = 200
        try:
            body, kind, headers = _route(study, files, environ)
        except Refused as refusal:
            status, kind, headers = STATUS[str(refusal)], JSON, [FRESH]
            body = json.dumps({"error": str(refusal)}).encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), *headers, *HEADERS]
        start_response(f"{status} {http.HTTPStatus(status).phrase}", headers)
        return [body]

    return respond


def _route(study, files, environ):
    """Does what is asked; returns the body as bytes, its type and headers."""
    request = method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method not in ("GET", "POST"):
        raise Refused("method")
    if method == "GET" and path in files:
        return *files[path], [FRESH]
    if method == "GET" and (found := PICTURE.fullmatch(path)):
        return study.picture(found[1]), "image/png", [FOREVER]
    cookie = f"rater_{study.id}"
    rater, headers = _rater(environ, cookie), [FRESH]
    if request == ("POST", "/join"):
        _read(environ)
        if not study.state(rater)["joined"]:
            rater = study.join()
            headers.append(("Set-Cookie", f"{cookie}={rater}; {COOKIE_FLAGS}"))
    elif request == ("POST", "/answer"):
        sent = _read(environ)
        if sent.keys() != {"item", "answers"}:
            raise Refused("answers")
        study.answer(rater, sent["item"], sent["answers"])
    elif request != ("GET", "/state"):
        raise Refused("page")
    return json.dumps(study.state(rater)).encode(), JSON, headers


def _rater(environ, cookie):
    """Returns the rater's secret name, or an empty string."""
    try:
        cookies = http.cookies.SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except http.cookies.CookieError:
        return ""
    value = cookies[cookie].value if cookie in cookies else ""
    return value if TOKEN.fullmatch(value) else ""


def _read(environ):
    """Returns the JSON object that was sent.

    Other types are refused: pages of other sites could send them without being asked.
    """
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != JSON:
        raise Refused("type")
    try:
        sent = json.loads(environ["wsgi.input"].read(MAX_BODY))
    except (ValueError, RecursionError):
        raise Refused("answers") from None
    if not isinstance(sent, dict):
        raise Refused("answers")
    return sent
