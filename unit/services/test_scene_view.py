"""The wire form of scenes: complete, and nothing in it can run in the page."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.scene_view import render_markdown, scene_view
from app.studies import Control, End, Game, StagerState, Text

LEFT = Control(label="Left", keys=["ArrowLeft"], value=1)
GAME = Game(
    scene_id="match",
    title="Match",
    environment="game.py",
    players=3,
    width=640,
    controls=[LEFT],
    config={"points": 5},
)


def test_a_text() -> None:
    """A text has its heading, its body as HTML, and the label of its button."""
    scene = Text(scene_id="a", title="1 < 2", markdown="*Read* this.", button="On")
    assert scene_view(scene, StagerState("a")) == {
        "scene_id": "a",
        "kind": "text",
        "title": "1 < 2",
        "html": "<p><em>Read</em> this.</p>\n",
        "button": "On",
    }


def test_a_game() -> None:
    """A game has all that a page needs to play it, as JSON."""
    view = scene_view(GAME, StagerState("match"), environment_url="/e.py")
    assert json.loads(json.dumps(view)) == {
        "scene_id": "match",
        "kind": "game",
        "title": "Match",
        "html": "",
        "environment_url": "/e.py",
        "players": 3,
        "steps_per_s": 30,
        "width": 640,
        "height": 400,
        "controls": [{"label": "Left", "keys": ["ArrowLeft"], "value": 1}],
        "config": {"points": 5},
        "done": False,
    }


def test_a_game_that_was_played() -> None:
    """A played game says so, with its result where that is known."""
    view = scene_view(
        GAME, StagerState("match", done=True), environment_url="/e.py", result={"frames": 9}
    )
    assert view["done"] is True
    assert view["result"] == {"frames": 9}
    assert view["environment_url"] == "/e.py"


def test_an_end() -> None:
    """An end is read, and leads nowhere."""
    view = scene_view(End(scene_id="z", title="End", markdown="Bye"), StagerState("z"))
    assert view == {"scene_id": "z", "kind": "end", "title": "End", "html": "<p>Bye</p>\n"}


def test_raw_html_is_shown_as_text() -> None:
    """HTML in a study's text reaches the page escaped, in blocks, in lines and in tables."""
    markdown = "<script>alert(1)</script>\n\na <img src=x onerror=alert(1)>\n\n|a|\n|-|\n|<b>|\n"
    html = render_markdown(markdown)
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "<td>&lt;b&gt;</td>" in html


@pytest.mark.parametrize("scheme", ["javascript", "JaVaScRiPt", "vbscript", "data"])
def test_links_that_run_are_refused(scheme: str) -> None:
    """A link whose address is a program stays plain text, and so does an automatic one."""
    html = render_markdown(f"[a]({scheme}:alert(1)) <{scheme}:alert(1)> [b][c]\n\n[c]: {scheme}:x")
    assert "href" not in html


def test_links_open_a_new_tab() -> None:
    """A participant who follows a link keeps the game, and the other page learns nothing of it."""
    html = render_markdown("[a](https://example.org/?a=1&b=2) <https://example.org>")
    assert html.count('target="_blank" rel="noopener noreferrer"') == 2
    assert 'href="https://example.org/?a=1&amp;b=2"' in html


def test_bare_addresses_stay_text() -> None:
    """Only what the experimenter wrote as a link becomes one."""
    assert "href" not in render_markdown("see www.example.org or https://example.org")


def test_tables_have_no_style_attributes() -> None:
    """Columns are aligned by a class, because the page's security policy forbids inline style."""
    html = render_markdown("| a | b | c |\n|:--|--:|---|\n| 1 | 2 | 3 |\n")
    assert "style" not in html
    assert '<td class="align-left">1</td>' in html
    assert '<td class="align-right">2</td>' in html
    assert "<td>3</td>" in html


class Elements(HTMLParser):
    """Collects what a browser would make of some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str | None] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the element and its attributes."""
        self.tags.add(tag)
        self.attributes.update(attrs)


PIECES = [
    "<",
    ">",
    "script",
    "img",
    "a",
    " ",
    "\n",
    "(",
    ")",
    "[",
    "]",
    "javascript:",
    "onload=",
    '"',
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_text_makes_an_element_that_runs(markdown: str) -> None:
    """Whatever is written, the page gets only Markdown's own elements and attributes."""
    elements = Elements(render_markdown(markdown))
    assert elements.tags <= {"p", "a", "blockquote", "pre", "code"}
    assert elements.attributes.keys() <= {"href", "target", "rel", "title"}
    assert not (elements.attributes.get("href") or "").startswith("javascript:")
