"""The page, the environments and the health check. GET changes nothing."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from app.studies import End
from app.web.pages import LONGEST_LABEL, page_config
from unit.fakes.studies import game_scene, one_game, study_of
from unit.sockets.page import JoinedServer

SPITEFUL = "</script><script>alert(1)</script><!-- &amp; \" ' \u2028"
END = End(scene_id="end", title="End", markdown="")


class PageParser(HTMLParser):
    """What a browser makes of the page: its elements, its title and its configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.title = ""
        self.config = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep what stands in the title and in the configuration."""
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if tag == "title":
            self.title += data
        elif attributes.get("id") == "grace-config":
            self.config += data


def parsed(server: JoinedServer, path: str = "/", **query: str) -> PageParser:
    """The page as a browser reads it."""
    answer = server.http.get(path, query_string=query or None)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    parser = PageParser()
    parser.feed(answer.text)
    return parser


@pytest.fixture
def server() -> JoinedServer:
    """A server that serves a study of one game."""
    return JoinedServer()


def test_the_page_holds_its_configuration() -> None:
    """What it needs before it connects stands in it as JSON."""
    server = JoinedServer(runtime="main")
    config = json.loads(parsed(server).config)
    assert config == page_config(server.grace.core, None)
    assert config["study"] == {"id": "study", "title": "A study"}
    assert (config["python"]["runtime"], config["preload"], config["participant"]) == (
        "main",
        True,
        None,
    )
    delivery = server.grace.core.delivery
    assert config["python"] == delivery.python_config("main")
    assert config["first_environment"]["url"] == delivery.environment_address("match")


def test_the_page_is_told_what_its_first_game_is_made_with() -> None:
    """So that the environment can be made before the game is there."""
    core = JoinedServer(one_game(config={"points_to_win": 5})).grace.core
    assert page_config(core, None)["first_environment"] == {
        "url": core.delivery.environment_address("match"),
        "config": {"points_to_win": 5},
    }


def test_preload_can_be_off() -> None:
    """The page does not load early when the server says so."""
    config: Any = page_config(JoinedServer(preload=False).grace.core, None)
    assert config["preload"] is False


def test_a_study_without_a_game_has_no_environment() -> None:
    """Then there is nothing to load early for."""
    config = page_config(JoinedServer(study_of(END)).grace.core, None)
    assert config["first_environment"] is None


def test_a_label_is_text_and_nothing_else(server: JoinedServer) -> None:
    """Whatever stands in the address arrives as it is, and starts no script."""
    page = parsed(server, participant=SPITEFUL)
    assert json.loads(page.config)["participant"] == SPITEFUL
    assert page.elements == parsed(server).elements


def test_a_title_is_text_and_nothing_else() -> None:
    """A study's title stands in the page and in its configuration, and ends neither."""
    study = study_of(game_scene(), END)
    object.__setattr__(study.study, "title", SPITEFUL)
    page = parsed(JoinedServer(study))
    assert json.loads(page.config)["study"]["title"] == SPITEFUL
    assert SPITEFUL in page.title
    assert page.elements == parsed(JoinedServer()).elements


@pytest.mark.parametrize("label", ["P" * 128, "P" * 129, "é" * 5000])
def test_a_label_is_shortened(server: JoinedServer, label: str) -> None:
    """To what a CONNECT may carry; a long address does not shut anybody out."""
    shortened = json.loads(parsed(server, participant=label).config)["participant"]
    assert shortened == label[:LONGEST_LABEL]
    assert server.page({"participant": shortened}).accepted


@pytest.mark.parametrize("query", ["", "?participant=", "?other=1"])
def test_a_label_may_be_absent(server: JoinedServer, query: str) -> None:
    """An empty label is none."""
    assert json.loads(parsed(server, f"/{query}").config)["participant"] is None


def test_nothing_stands_in_the_page_that_the_policy_forbids(server: JoinedServer) -> None:
    """Every script and style is a file of ours; no element has a handler or a style."""
    for tag, attributes in parsed(server).elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "style"
        if tag == "script" and attributes.get("type") != "application/json":
            assert str(attributes["src"]).startswith("/static/")
        if tag == "link":
            assert re.match("/static/|data:", str(attributes["href"]))


def test_all_that_the_page_names_is_there(server: JoinedServer) -> None:
    """Every script, style and hint of it is a file that can be had, and kept for ever."""
    named = [
        str(attributes.get("src") or attributes.get("href"))
        for tag, attributes in parsed(server).elements
        if tag in ("script", "link") and attributes.keys() & {"src", "href"}
    ]
    files = [address for address in named if address.startswith("/static/")]
    assert len(files) > 20
    for address in files:
        with server.http.get(address) as answer:
            assert answer.status_code == 200, address
            assert "immutable" in answer.headers["Cache-Control"]


def hints(server: JoinedServer, kind: str) -> list[str]:
    """The addresses that the page asks for before it needs them."""
    elements = [attributes for tag, attributes in parsed(server).elements if tag == "link"]
    return [str(one["href"]) for one in elements if one["rel"] == kind]


def test_every_module_is_asked_for_at_once(server: JoinedServer) -> None:
    """Not one after the other, as each is read; and none is named twice."""
    modules = hints(server, "modulepreload")
    page = server.grace.core.delivery.page
    # What starts Python's worker comes first: it has the longest way to go.
    in_worker = [page.url(f"js/{name}.js") for name in ("python_worker_start", "python_host")]
    assert set(in_worker) <= set(modules[: modules.index(page.url("js/index.js"))])
    assert page.url("vendor/socket.io/socket.io.esm.min.js") in modules
    assert len(set(modules)) == len(modules)


def test_the_document_fetches_nothing_of_python(server: JoinedServer) -> None:
    """A browser keeps compiled WebAssembly with its own response, and not with one preloaded."""
    assert hints(server, "preload") == hints(JoinedServer(runtime="main"), "preload") == []


def test_health_is_open(server: JoinedServer) -> None:
    """Whoever watches the server needs no token, and sees when it is about to end."""
    assert server.http.get("/healthz").json == {"status": "ok"}
    server.grace.core.stopping = True
    assert server.http.get("/healthz").json == {"status": "stopping"}


def test_get_changes_nothing(server: JoinedServer) -> None:
    """A session begins at CONNECT: crawlers and link previews leave no trace."""
    before = server.kept()
    environment = server.grace.core.delivery.environment_address("match")
    for path in ("/", "/?participant=P", "/healthz", environment, "/none"):
        server.http.get(path).close()
        server.http.head(path)
    assert server.kept() == before
