"""What is served as it is: to slow readers, to a browser that comes back, and within the policy."""

import json
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.lab.bench import Bench
from app.lab.server import ServerProcess

Serve = Callable[..., ServerProcess]

SLOW_READERS = 50
LONGEST_ANSWER_S = 1.0
"""For a look at the server's health while others do not read."""

FORBIDDEN: dict[str, str] = {
    "eval": "() => eval('1')",
    "a function from text": "() => new Function('return 1')()",
    "another site": "() => fetch('http://127.0.0.1:9/')",
    "a script from a text": "() => import('data:text/javascript,0')",
    "a script from a blob": "() => import(URL.createObjectURL(new Blob([''], {type:"
    " 'text/javascript'})))",
}
"""What no script of ours may do, wherever it runs."""

ATTEMPT = """async () => {
    const heard = new Promise((resolve) => addEventListener(
        "securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true }));
    // What an inspector evaluates may evaluate too; a task of the page's own may not.
    await new Promise((resolve) => setTimeout(resolve));
    try {
        await (%s)();
        return "allowed";
    } catch (error) {
        return await heard;
    }
}"""
"""Does something; returns the directive of the policy that forbids it."""


def test_readers_that_do_not_read_hold_nobody_up(serve: Serve) -> None:
    """The largest file waits for each of them; others are answered meanwhile, and get it whole."""
    server = serve()
    python = page_config(server)["python"]
    path = f"{python['pyodide_url']}pyodide.asm.wasm"
    with ExitStack() as opened:
        for _ in range(SLOW_READERS):
            opened.enter_context(slow_reader(server, path))
        for _ in range(10):
            began = time.monotonic()
            with urllib.request.urlopen(f"{server.url}/healthz") as answer:  # noqa: S310
                assert json.load(answer) == {"status": "ok"}
            assert time.monotonic() - began < LONGEST_ANSWER_S
        with urllib.request.urlopen(server.url + path) as answer:  # noqa: S310
            assert len(answer.read()) == python["bytes"]["pyodide.asm.wasm"]


def test_a_second_visit_asks_for_no_file(bench: Bench, studies: Path) -> None:
    """What a browser has it keeps; the page itself is asked for anew."""
    server = bench.serve(studies / "game_first.py", runtime="main")
    visitor = bench.participant("visitor")
    visitor.open(server.url)
    visitor.wait_for(runtime="ready")
    asked: list[str] = []
    visitor.page.on("response", lambda answer: asked.append(answer.url))
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    sent: dict[str, float] = {}
    session.on("Network.loadingFinished", lambda event: add(sent, event))
    visitor.page.reload()
    visitor.wait_for(runtime="ready")

    files = [url for url in asked if "/static/" in url]
    assert len(files) > 20
    # The page's own HTML travels; 50 kB is what a second visit may cost.
    assert 0 < sum(sent.values()) < 50_000


def test_the_policy_holds_in_the_page_and_in_a_worker(bench: Bench, studies: Path) -> None:
    """No script from a text, no other site; a worker has the policy that its script came with."""
    server = bench.serve(studies / "game_first.py", preload=False)
    visitor = bench.participant("visitor")
    visitor.open(server.url)
    visitor.wait_for(link="connected")
    page = visitor.page
    module = page.locator("link[rel=modulepreload]").first.get_attribute("href")
    assert module is not None
    with page.expect_worker() as started:
        page.evaluate(
            "(url) => { window.idle = new Worker(url, { type: 'module' }); }",
            module.replace("index.js", "ticker_worker.js"),
        )
    worker = started.value
    for where in (page, worker):
        refused = {what: where.evaluate(ATTEMPT % action) for what, action in FORBIDDEN.items()}
        assert refused == {
            "eval": "script-src",
            "a function from text": "script-src",
            "another site": "connect-src",
            "a script from a text": "script-src-elem",
            "a script from a blob": "script-src-elem",
        }
    # Must not happen: that the checks only fail because nothing works.
    assert page.evaluate("async () => (await fetch('/healthz')).status") == 200
    assert worker.evaluate("async () => (await fetch('/healthz')).status") == 200
    empty_module = "new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])"
    assert page.evaluate(f"async () => !!(await WebAssembly.compile({empty_module}))")
    # The page's refusals were asked for.
    assert all("Content Security Policy" in fault for fault in visitor.faults)
    visitor.faults.clear()


def page_config(server: ServerProcess) -> Any:
    """What the page is told."""
    with urllib.request.urlopen(server.url) as answer:  # noqa: S310
        found = re.search(r'id="grace-config">(.*?)</script>', answer.read().decode(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def add(sent: dict[str, float], event: dict[str, Any]) -> None:
    """Note how many bytes of an answer came over the network."""
    sent[event["requestId"]] = event["encodedDataLength"]


@contextmanager
def slow_reader(server: ServerProcess, path: str) -> Iterator[None]:
    """A client that asks for a file, reads how it begins, and nothing more."""
    address = urlsplit(server.url)
    assert address.hostname is not None
    with socket.socket() as client:
        # As little as possible lies in buffers.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(15)
        client.connect((address.hostname, address.port or 80))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        yield
