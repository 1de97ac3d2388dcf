"""What the page gets to know of a scene: the payload of `scene_activated`.

Markdown becomes HTML here and not in the page, by markdown-it-py with raw HTML disabled, so that
nothing in a study's text can run in a participant's page.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from app.studies import Game, Scene, StagerState, Text


def scene_view(
    scene: Scene,
    state: StagerState,
    *,
    environment_url: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the wire form of `scene` for a session in `state`.

    `environment_url` is where the page gets a game scene's environment. `result` is the outcome of
    a game that was played, where it is known.
    """
    view: dict[str, Any] = {
        "scene_id": scene.scene_id,
        "kind": _kind(scene),
        "title": scene.title,
        "html": render_markdown(scene.markdown),
    }
    if isinstance(scene, Text):
        view["button"] = scene.button
    elif isinstance(scene, Game):
        view |= {
            "environment_url": environment_url,
            "players": scene.players,
            "steps_per_s": scene.steps_per_s,
            "width": scene.width,
            "height": scene.height,
            "controls": [
                {"label": control.label, "keys": list(control.keys), "value": control.value}
                for control in scene.controls
            ],
            "config": dict(scene.config),
            "done": state.done,
        }
        if result is not None:
            view["result"] = dict(result)
    return view


@functools.lru_cache(maxsize=256)
def render_markdown(markdown: str) -> str:
    """Return CommonMark (with tables) as HTML that is safe to insert into the page."""
    html: str = _MARKDOWN.render(markdown)
    return html


def _kind(scene: Scene) -> str:
    if isinstance(scene, Text):
        return "text"
    return "game" if isinstance(scene, Game) else "end"


def _open_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Open links in a new tab: a participant who follows one keeps the game."""
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return self.renderToken(tokens, index, options, env)


def _open_cell(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Align by a class: the page's security policy forbids the style attribute of the library."""
    style = tokens[index].attrs.pop("style", None)
    if style is not None:
        tokens[index].attrSet("class", str(style).replace("text-align:", "align-"))
    return self.renderToken(tokens, index, options, env)


def _markdown_renderer() -> MarkdownIt:
    renderer = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False})
    renderer.add_render_rule("link_open", _open_link)
    renderer.add_render_rule("th_open", _open_cell)
    renderer.add_render_rule("td_open", _open_cell)
    return renderer


_MARKDOWN = _markdown_renderer()
