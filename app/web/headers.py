"""The headers that every answer carries, and how long a browser may keep it."""

import flask

FOR_EVER = "public, max-age=31536000, immutable"
"""For what has its content in its address (RFC 8246)."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
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

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of pages, refusals and files alike: a worker has the policy that its own script came with."""


def add_headers(response: flask.Response) -> flask.Response:
    """Put the headers on an answer that is no static file; such a one is kept by nobody."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Cache-Control"] = "no-store"
    return response
