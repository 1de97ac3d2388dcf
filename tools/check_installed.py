"""Check that an installed Grace Server serves the page and its assets, from any folder.

Run it as `python tools/check_installed.py` where a wheel of it is installed, and not the checkout.
"""

import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import app
import assets
from app.lab.server import ServerProcess

CONTENT_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}
"""What a browser insists on, by file name suffix."""


def findings(url: str) -> list[str]:
    """Return a sentence for each address of the server at `url` that is not served as it should."""
    expected = {"/": "text/html", "/static/py/grace_runner.py": ""}
    for name in assets.NPM_FILES:
        expected[f"/static/vendor/{name}"] = CONTENT_TYPES.get(Path(name).suffix, "")
    found = []
    for path, content_type in expected.items():
        try:
            with urllib.request.urlopen(url + path) as response:  # noqa: S310 - the server is ours
                served_as = response.headers.get_content_type()
                if not response.read():
                    found.append(f"{path} is empty.")
        except urllib.error.HTTPError as error:
            found.append(f"{path} is answered with {error}.")
            continue
        if content_type not in ("", served_as):
            found.append(f"{path} is served as {served_as} and not as {content_type}.")
    return found


def main() -> None:
    """Serve the shipped study from the installed package and ask for everything once."""
    package = Path(app.__file__).parent
    if package.parent == Path(__file__).resolve().parent.parent:
        raise SystemExit("This is the checkout; install a wheel in an environment of its own.")
    with tempfile.TemporaryDirectory() as folder:
        study = package / "examples" / "slime_volleyball"
        with ServerProcess(study, Path(folder)) as server:
            found = findings(server.url)
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
