"""Check that an installed Grace Server serves the page and its assets, from any folder.

Run it as `python tools/check_installed.py` where a wheel of it is installed, and not the checkout.
"""

import json
import re
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

LARGE = ("pyodide.asm.wasm", "pyodide.asm.mjs", "python_stdlib.zip")
"""Files that nobody should wait for uncompressed."""

CONFIG = re.compile(r'id="grace-config">(.*?)</script>', re.DOTALL)
"""What the page is told, in a page."""


def findings(url: str) -> list[str]:
    """Return a sentence for each address of the server at `url` that is not served as it should."""
    with urllib.request.urlopen(url) as response:  # noqa: S310 - the server is ours
        config = CONFIG.search(response.read().decode())
    if config is None:
        return ["/ has no configuration."]
    python = json.loads(config[1])["python"]
    page = python["runner_url"].removesuffix("py/grace_runner.py")
    expected = {"/": "text/html", python["runner_url"]: "", f"{page}js/start.js": "text/javascript"}
    for name in assets.NPM_FILES:
        folder, _, file = name.partition("/")
        address = python["pyodide_url"] + file if folder == "pyodide" else f"{page}vendor/{name}"
        expected[address] = CONTENT_TYPES.get(Path(name).suffix, "")
    found = []
    for path, content_type in expected.items():
        try:
            request = urllib.request.Request(url + path, headers={"Accept-Encoding": "br"})  # noqa: S310
            with urllib.request.urlopen(request) as response:  # noqa: S310
                served_as = response.headers.get_content_type()
                coding = response.headers.get("Content-Encoding")
                if not response.read():
                    found.append(f"{path} is empty.")
        except urllib.error.HTTPError as error:
            found.append(f"{path} is answered with {error}.")
            continue
        if content_type not in ("", served_as):
            found.append(f"{path} is served as {served_as} and not as {content_type}.")
        if path.endswith(LARGE) and coding != "br":
            found.append(f"{path} is not compressed.")
    return found


def main() -> None:
    """Serve the shipped study from the installed package and ask for everything once."""
    package = Path(app.__file__).parent
    if package.parent == Path(__file__).resolve().parent.parent:
        raise SystemExit("This is the checkout; install a wheel in an environment of its own.")
    with tempfile.TemporaryDirectory() as folder:
        study = package / "examples" / "slime_volleyball"
        settings = {"cache": Path(folder) / "cache"}
        with ServerProcess(study, Path(folder), settings) as server:
            found = findings(server.url)
    for finding in found:
        print(finding)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
