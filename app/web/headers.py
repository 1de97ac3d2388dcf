"""The headers that every answer carries, and how long a browser may keep it."""

import flask

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Only our own files, no inline script, in no frame. Pyodide needs WebAssembly and no `eval`."""

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_headers(response: flask.Response) -> flask.Response:
    """Put the headers on an answer; what is not a static file is not kept by anybody."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not flask.request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response
