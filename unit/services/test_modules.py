"""The modules that a page needs at once are found by following its imports."""

import os
from pathlib import Path

import pytest

from app.services.modules import imports_of, modules_from

SOURCE = """/** Joins the parts. @import { X } from "./comment.js" */
import { io } from "../vendor/io.js";
import "./effect.js";
import {
  one,
  two as zwei,
} from "./several.js";
import * as all from './all.js';
import base from "bare";
export { name } from "./again.js";
export * from "./star.js";

/**
 * @import { Y } from "./type.js"
 */
export class Thing {
  /** @import { Z } from "./inner.js" */
  load() {
    const words = ["from", "./string.js"];
    return import("./lazy.js") ?? new Worker(new URL("./worker.js", import.meta.url));
  }
}
// import "./old.js";
"""


def test_static_imports_are_found(tmp_path: Path) -> None:
    """However they are written; no comment, no string and nothing that is loaded later."""
    (tmp_path / "index.js").write_text(SOURCE)
    assert imports_of(tmp_path / "index.js") == (
        "../vendor/io.js", "./effect.js", "./several.js", "./all.js", "./again.js", "./star.js",
    )  # fmt: skip


def test_a_module_that_has_changed_is_read_again(tmp_path: Path) -> None:
    """Also where it is as long as before, or as old."""
    module = tmp_path / "index.js"
    for time, name in enumerate(("a.js", "b.js", "long.js")):
        module.write_text(f'import "./{name}";\n')
        os.utime(module, ns=(1, min(time, 1)))
        assert imports_of(module) == (f"./{name}",)


def test_imports_are_followed(tmp_path: Path) -> None:
    """Round about too, each module once; what is not there is left to the browser to miss."""
    sources = {
        "js/index.js": 'import "./a.js";\nimport "../b.js";\nimport "./none.js";\n',
        "js/a.js": 'import "../b.js";\n',
        "b.js": 'import "./js/index.js";\nimport "./c.js";\n',
        "c.js": "",
        "unused.js": "",
    }
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    files = {name: tmp_path / name for name in sources}
    assert modules_from("js/index.js", files) == ("js/index.js", "js/a.js", "b.js", "c.js")


def test_a_first_module_has_to_be_there() -> None:
    """Without it there is no page."""
    with pytest.raises(KeyError):
        modules_from("js/index.js", {})
