"""What a browser gets is joined, compressed once, and named in the page's configuration."""

import errno
import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.errors import GraceError
from app.python.cache import Cache
from app.python.parts import Distribution, SnapshotFile, StudyPackages
from app.services.delivery import Delivery, page_files, prepare_delivery, pyodide_files
from app.services.environment_check import EnvironmentSource
from app.services.static_files import static_folder
from app.services.study_files import LoadedStudy
from app.studies import End
from unit.fakes.studies import one_game, study_of

LOCK = {"info": {"python": "3.14.2", "abi_version": "2026_0"}, "packages": {}}
FILES = {
    "js/index.js": 'import "./other.js";\nimport "../vendor/socket.io/io.js";\n',
    "js/other.js": "// other\n" * 100,
    "js/vendor.d.ts": "declare module;",
    "css/grace.css": "body {}\n",
    "css/.hidden": "",
    "py/grace_runner.py": "# runs\n",
    "py/__pycache__/grace_runner.pyc": "",
    "vendor/socket.io/io.js": "",
    "vendor/pico/pico.min.css": "",
    "vendor/stamp.txt": "",
    "vendor/pyodide/pyodide.mjs": "// pyodide\n" * 100,
    "vendor/pyodide/pyodide.asm.mjs": "",
    "vendor/pyodide/pyodide.asm.wasm": "wasm " * 100,
    "vendor/pyodide/pyodide-lock.json": json.dumps(LOCK),
    "vendor/pyodide/LICENSE": "",
    "vendor/pyodide/LICENSE-CPython": "",
    "vendor/pyodide/LICENSE-inside": "",
}
PAGE = {
    "js/index.js", "js/other.js", "css/grace.css", "py/grace_runner.py",
    "vendor/socket.io/io.js", "vendor/pico/pico.min.css",
}  # fmt: skip
PYODIDE = {
    "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip",
}  # fmt: skip
LICENCES = {"LICENSE", "LICENSE-CPython", "LICENSE-inside"}


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A small folder of static files."""
    folder = tmp_path / "static"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    library = folder / "vendor" / "pyodide" / "python_stdlib.zip"
    with zipfile.ZipFile(library, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("os.py", "# the system\n" * 100)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    """An empty cache."""
    made = Cache(tmp_path / "cache")
    yield made
    made.close()


@pytest.fixture
def delivery(static: Path, cache: Cache) -> Delivery:
    """A delivery of a study with one game, without packages or a snapshot."""
    return prepare_delivery(one_game(), cache=cache, static=static)


def addresses(delivery: Delivery) -> list[str]:
    """The addresses of its bundles."""
    return [bundle.address for bundle in delivery.bundles]


def test_the_page_is_one_bundle(delivery: Delivery) -> None:
    """With everything that its modules, styles and Python name, and nothing that is for tools."""
    assert set(delivery.page.paths) == PAGE
    assert delivery.modules == ("js/index.js", "js/other.js", "vendor/socket.io/io.js")


def test_pyodide_is_one_bundle(delivery: Delivery) -> None:
    """Its standard library is the same zip, stored, so that it is compressed as a whole."""
    assert set(delivery.pyodide.paths) == PYODIDE | LICENCES
    library = delivery.pyodide.paths["python_stdlib.zip"]
    with zipfile.ZipFile(library) as archive:
        assert [one.compress_type for one in archive.infolist()] == [zipfile.ZIP_STORED]
        assert archive.read("os.py").startswith(b"# the system\n")
    assert library.with_name("python_stdlib.zip.br").stat().st_size < 200


def test_a_study_is_one_bundle(static: Path, cache: Cache) -> None:
    """The environment of each game scene, in UTF-8 as Python's sources are by default."""
    study = one_game()
    source = EnvironmentSource(Path("environment.py"), "name = 'Zoë 错'\n")
    study = LoadedStudy(study.study, {"match": source}, study.path)
    delivery = prepare_delivery(study, cache=cache, static=static)
    assert delivery.study.paths["match/environment.py"].read_text(encoding="utf-8") == source.source
    assert delivery.environment_address("match") == delivery.study.url("match/environment.py")
    with pytest.raises(KeyError):
        delivery.environment_address("questions")


def test_a_study_may_have_no_game(static: Path, cache: Cache) -> None:
    """Then there is no environment, and everything else is as it was."""
    end = study_of(End(scene_id="end", title="End", markdown=""))
    assert prepare_delivery(end, cache=cache, static=static).study.paths == {}


def test_a_file_that_changes_changes_its_address(
    static: Path, cache: Cache, delivery: Delivery
) -> None:
    """And no other one: what did not change need not be sent again."""
    (static / "js" / "other.js").write_text("// changed\n")
    changed = prepare_delivery(one_game(), cache=cache, static=static)
    same = [one == other for one, other in zip(addresses(delivery), addresses(changed))]  # noqa: B905
    assert same == [False, True, True]


def test_it_is_made_once(
    static: Path, cache: Cache, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start finds everything compressed."""
    monkeypatch.setattr("brotli.compress", None)
    again = prepare_delivery(one_game(), cache=Cache(cache.folder), static=static)
    assert again == delivery


def test_all_of_it_is_compressed_at_once_and_announced(
    static: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what the caller has for that, and in words of the caller's choice."""
    monkeypatch.setattr("app.python.bundle.LONG_BYTES", 0)
    said, worked = list[str](), list[int]()

    def at_once(work: Callable[[Any], None], on: Iterable[Any]) -> Iterable[None]:
        worked.append(1)
        return map(work, on)

    delivery = prepare_delivery(
        one_game(), cache=cache, static=static, say=said.append, at_once=at_once
    )
    assert len(worked) == len(said) == len(delivery.bundles)


class TestConfig:
    """What stands in the page, by which it loads Python."""

    def test_a_plain_study(self, delivery: Delivery) -> None:
        """No snapshot, no packages."""
        config = delivery.python_config("worker")
        assert config == {
            "runtime": "worker",
            "pyodide_url": delivery.pyodide.address,
            "runner_url": delivery.page.url("py/grace_runner.py"),
            "bytes": {name: delivery.pyodide.sizes[name] for name in PYODIDE},
            "lock_info": LOCK["info"],
            "snapshot": None,
            "packages": None,
            "wheels": [],
            "distribution": None,
        }
        assert json.loads(json.dumps(config)) == config
        assert delivery.python_config("main")["runtime"] == "main"

    def test_a_study_with_everything(self, static: Path, cache: Cache, tmp_path: Path) -> None:
        """Each part has its address, which is that of a file."""
        snapshot, pack = tmp_path / "made.pack", tmp_path / "files.pack"
        wheel, numpy = tmp_path / "box-1.0-cp314-cp314-wasm32.whl", tmp_path / "numpy.whl"
        for path in (snapshot, pack, wheel, numpy):
            path.write_bytes(path.name.encode() * 100)
        distribution = Distribution(("numpy",), {"pyodide-lock.json": b"{}", "numpy.whl": numpy})
        delivery = prepare_delivery(
            one_game(),
            cache=cache,
            static=static,
            snapshot=SnapshotFile(snapshot, memory_bytes=1 << 20, header_bytes=100),
            packages=StudyPackages(pack, (wheel,), distribution),
        )
        config = delivery.python_config("worker")
        bundle = delivery.bundles[3]
        assert config["snapshot"] == {
            "url": f"{bundle.address}snapshot.pack",
            "bytes": 900,
            "header_bytes": 100,
        }
        packages = delivery.study.url("packages.pack")
        assert config["packages"] == {"url": packages, "bytes": 1000}
        assert config["wheels"] == [delivery.study.url(f"wheels/{wheel.name}")]
        assert config["distribution"] == {
            "url": delivery.bundles[4].address,
            "packages": ["numpy"],
        }
        assert set(delivery.bundles[4].paths) == {"pyodide-lock.json", "numpy.whl"}
        assert json.loads(json.dumps(config)) == config

    def test_an_environment_that_changes_keeps_the_snapshots_address(
        self, static: Path, cache: Cache, tmp_path: Path
    ) -> None:
        """A bundle's address is made of itself alone."""
        (tmp_path / "made.pack").write_bytes(b"snapshot")
        snapshot = SnapshotFile(tmp_path / "made.pack", 1, 1)
        study = one_game()
        other = LoadedStudy(
            study.study, {"match": EnvironmentSource(Path("e.py"), "# other\n")}, study.path
        )
        one, changed = (
            addresses(prepare_delivery(each, cache=cache, static=static, snapshot=snapshot))
            for each in (study, other)
        )
        assert [a == b for a, b in zip(one, changed, strict=True)] == [True, True, False, True]


class TestPlain:
    """Without a cache nothing is compressed or kept."""

    def test_files_are_served_from_where_they_lie(self, static: Path) -> None:
        """With addresses of their content all the same."""
        delivery = prepare_delivery(one_game(), static=static)
        assert set(delivery.page.paths) == PAGE
        assert set(delivery.pyodide.paths) == PYODIDE | LICENCES
        for bundle in (delivery.page, delivery.pyodide):
            assert all(path.is_relative_to(static) for path in bundle.paths.values())
        source = delivery.study.paths["match/environment.py"]
        assert source.read_text() == one_game().environments["match"].source
        assert not source.with_name("environment.py.br").exists()

    def test_the_page_is_the_same_one(self, static: Path, delivery: Delivery) -> None:
        """Compressing changes no address."""
        plain = prepare_delivery(one_game(), static=static)
        assert plain.page.address == delivery.page.address
        assert plain.study.address == delivery.study.address

    def test_what_ships_can_be_served(self) -> None:
        """All files of the page and of Pyodide are there, and every part has an address."""
        delivery = prepare_delivery(one_game())
        assert len(set(addresses(delivery))) == 3
        assert {"js/start.js", "css/grace.css"} <= set(page_files(static_folder()))
        assert set(pyodide_files(static_folder(), stored=False)) == PYODIDE | LICENCES
        assert delivery.pyodide.sizes["pyodide.asm.wasm"] > 5_000_000
        assert delivery.lock_info["python"].startswith("3.")


class TestMishaps:
    """A cache is a convenience; a missing file is not."""

    def test_a_cache_that_is_full_is_replaced(
        self, static: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By a temporary one, with one sentence."""
        entry, said, used = Cache.entry, list[str](), list[Path]()

        def full_once(self: Cache, *given: Any) -> Path:
            if self is cache:
                raise OSError(errno.ENOSPC, "No space left on device")
            used.append(self.folder)
            return entry(self, *given)

        monkeypatch.setattr(Cache, "entry", full_once)
        delivery = prepare_delivery(one_game(), cache=cache, static=static, say=said.append)
        (sentence,) = said
        assert f"{cache.folder} cannot be used (No space left on device)" in sentence
        assert delivery.page.paths["js/other.js"].with_name("other.js.br").is_file()
        shutil.rmtree(used[0])

    def test_a_machine_that_is_full_is_said(
        self, static: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Then nothing can be served."""

        def full(self: Cache, *given: Any) -> Path:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Cache, "entry", full)
        with pytest.raises(GraceError, match=r"cannot be prepared: .*No space left"):
            prepare_delivery(one_game(), cache=cache, static=static)

    @pytest.mark.parametrize("name", ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"])
    @pytest.mark.parametrize("cached", [True, False])
    def test_a_missing_file_is_named(
        self, static: Path, cache: Cache, name: str, cached: bool
    ) -> None:
        """And not blamed on the cache."""
        (static / "vendor" / "pyodide" / name).unlink()
        said: list[str] = []
        with pytest.raises(GraceError, match=name):
            prepare_delivery(
                one_game(), cache=cache if cached else None, static=static, say=said.append
            )
        assert said == []
