"""Takes the README's picture: two browsers side by side, one loading, the other told so.

`python -m e2e.take_readme_picture` writes `docs/two-browsers.png`. The first browser is caught
while Pyodide's largest file is on its way to it: a page that is frozen cannot be photographed.
"""

import base64
import tempfile
from pathlib import Path
from string import Template

from playwright.sync_api import ViewportSize, sync_playwright

from app.lab.chromium import Chromium
from app.lab.holding import RUNTIME_FILE, held_back
from app.lab.participant import Participant
from app.lab.server import ServerProcess
from e2e.study_files import SHIPPED_STUDY

PICTURE = Path(__file__).parents[1] / "docs" / "two-browsers.png"
WINDOW = ViewportSize(width=560, height=460)
PIXEL_RATIO = 2
"""Sharp on a screen with small pixels too."""

FRAME = Template("""<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 24px; display: flex; gap: 24px; background: #d9dee5; width: max-content }
figure { margin: 0; border-radius: 10px; overflow: hidden; background: #f3f4f6;
  box-shadow: 0 6px 24px #0004; font: 14px system-ui, sans-serif; color: #374151 }
figcaption { padding: 10px 14px; display: flex; gap: 7px; align-items: center }
i { width: 11px; height: 11px; border-radius: 50%; background: #b6bcc6 }
span { margin-left: 8px }
img { display: block; width: ${width}px; height: ${height}px }
</style>$figures""")

FIGURE = Template(
    "<figure><figcaption><i></i><i></i><i></i><span>$title</span></figcaption>"
    '<img src="data:image/png;base64,$picture"></figure>'
)


def participant(chromium: Chromium, name: str) -> Participant:
    """Somebody with a window of the size that fits the picture."""
    page = chromium.new_context(pixel_ratio=PIXEL_RATIO).new_page()
    page.set_viewport_size(WINDOW)
    return Participant(name, page)


def photograph(participant: Participant) -> str:
    """A picture of the page, in Base64."""
    return base64.b64encode(participant.page.screenshot()).decode()


def side_by_side(chromium: Chromium, pictures: dict[str, str]) -> bytes:
    """One PNG with the pictures, each in the frame of a browser window.

    Args:
        chromium: draws it.
        pictures: Base64 by the title of the window.
    """
    figures = "".join(
        FIGURE.substitute(title=title, picture=picture) for title, picture in pictures.items()
    )
    page = chromium.new_context(pixel_ratio=PIXEL_RATIO).new_page()
    page.set_content(FRAME.substitute(WINDOW, figures=figures))
    return page.locator("body").screenshot()


def take(to: Path) -> None:
    """Serve the shipped study, bring two browsers into the scene, and write the picture.

    Args:
        to: the PNG file; its folder is made.
    """
    with (
        tempfile.TemporaryDirectory() as scratch,
        sync_playwright() as playwright,
        Chromium(playwright) as chromium,
        ServerProcess(SHIPPED_STUDY, Path(scratch)) as server,
    ):
        loading, partner = participant(chromium, "loading"), participant(chromium, "partner")
        with held_back(loading.page, RUNTIME_FILE):
            for one in (loading, partner):
                one.open(server.url)
                one.part("continue").click()
            loading.part("progress").wait_for(state="visible")
            partner.wait_for(game="matched", runtime="ready", timeout_s=60)
            partner.part("partner").wait_for(state="visible")
            pictures = {
                "First participant: Python is loading": photograph(loading),
                "Second participant: told so": photograph(partner),
            }
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(side_by_side(chromium, pictures))


if __name__ == "__main__":
    take(PICTURE)
