"""Static files, served by WhiteNoise with our headers; all that is not one is left to Flask.

What WhiteNoise 6.12 does otherwise than is wanted here is taken from the request before it sees it.
"""

import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from wsgiref.headers import Headers
from wsgiref.util import FileWrapper

from whitenoise import WhiteNoise

from app.python.bundle import Bundle
from app.web.headers import FOR_EVER, HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MEDIA_TYPES = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".pack": "application/octet-stream",
    ".py": "text/x-python",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
}
"""What WhiteNoise does not know, or what a browser insists on."""

BLOCK_BYTES = 32_768
"""Bytes that are written at once; a slow reader has `ANSWER_TIMEOUT_S` for each of them."""

_REFUSED_CODING = re.compile(r"[^,]*;\s*q=0(\.0{0,3})?\s*(,|$)", re.IGNORECASE)


class StaticFiles:
    """A WSGI application in front of another one.

    Args:
        application: answers what is no file.
        bundles: the files.
    """

    def __init__(self, application: "WSGIApplication", bundles: Iterable[Bundle]) -> None:
        self._application = application
        self._files = WhiteNoise(
            application, allow_all_origins=False, max_age=None, mimetypes=MEDIA_TYPES
        )
        for bundle in bundles:
            self._files.add_headers_function = partial(_add_headers, bundle.digest)
            for name, path in bundle.paths.items():
                self._files.add_file_to_dictionary(bundle.url(name), str(path))

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        if environ.get("PATH_INFO", "") not in self._files.files:
            return self._application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            given = Headers(headers)
            for name, value in HEADERS.items():
                given.setdefault(name, value)
            # A refusal is not a file.
            given.setdefault("Cache-Control", "no-store")
            return start_response(status, headers, *error)

        file: Iterable[bytes] = self._files(_as_whitenoise_reads_it(environ), start)
        return file


def _add_headers(digest: str, headers: Headers, path: str, url: str) -> None:
    headers["Cache-Control"] = FOR_EVER
    # Weak, because all content codings share it (RFC 9110, 8.8.1); WhiteNoise's own would be made
    # of the time at which this server put the file there, and differ from the next server's.
    headers["ETag"] = f'W/"{digest}"'


def _as_whitenoise_reads_it(environ: "WSGIEnvironment") -> "WSGIEnvironment":
    """The same request in the words that WhiteNoise reads.

    It takes a content coding for accepted wherever it is named, with a weight of 0 too, and a range
    of one byte for none at all. Whoever asks for a part may be given the whole (RFC 9110, 14.2).
    """
    read = {**environ, "wsgi.file_wrapper": partial(FileWrapper, blksize=BLOCK_BYTES)}
    read.pop("HTTP_RANGE", None)
    accepted = environ.get("HTTP_ACCEPT_ENCODING")
    if accepted is not None:
        read["HTTP_ACCEPT_ENCODING"] = _REFUSED_CODING.sub("", accepted)
    return read
