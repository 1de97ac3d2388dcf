"""Asks the package index, by way of pip: it knows the operator's index, proxy and credentials."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement

from app.errors import PackageError
from app.python.target import Target

TIMEOUT_S = 900.0
"""Longest time that pip may take, in seconds."""

For = Literal["browser", "here", "anything"]
"""What a version has to have: a wheel for the browser, one for this machine, or any file."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+|(?<!\S)/\S+")
_NO_MATCH = re.compile(r"No matching distribution found for (.+)")
_NOWHERE = re.compile(
    r"no matching distributions available for your environment:\n((?:    .+\n?)+)"
)
_BROKEN_CONNECTION = "connection broken by"
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class PipEnded:
    """How a run of pip ended: its exit status, and what it wrote."""

    status: int
    said: str
    complained: str


class NothingFits(PackageError):
    """The index has no version of a package that fits.

    Attributes:
        requirement: what was asked for.
        asking: a package that needs it, or None where nobody is known to.
    """

    def __init__(self, requirement: Requirement, asking: str | None = None) -> None:
        self.requirement = requirement
        self.asking = asking
        super().__init__(f"The package index has nothing that fits {str(requirement)!r}.")


RunPip = Callable[[Sequence[str]], PipEnded]
"""Runs pip with arguments. Raises PackageError when there is no pip, or it takes too long."""


def run_pip(arguments: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> PipEnded:
    """Run the pip of this Python. -P: the folder that this was started in has no say."""
    command = [sys.executable, "-P", "-m", "pip", *arguments]
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PackageError(f"pip took longer than {timeout_s:g} s.") from error
    if ended.returncode and "No module named pip" in ended.stderr:
        raise PackageError(
            f"There is no pip in the Python that runs this ({sys.executable}): install it with"
            " `python -m ensurepip`, or use an environment that has it."
        )
    return PipEnded(ended.returncode, ended.stdout, ended.stderr)


class Index:
    """The package index, asked for what runs in the browser.

    Args:
        target: the browser's Python.
        pip: runs pip.
    """

    def __init__(self, target: Target, pip: RunPip = run_pip) -> None:
        self.target = target
        self._pip = pip

    def download(
        self,
        requirements: Iterable[str],
        folder: Path,
        *,
        constraints: Iterable[str] = (),
        more_wheels: Path | None = None,
    ) -> list[Path]:
        """Download the wheels of requirements and of all that they need.

        Args:
            requirements: lines of a requirements file.
            folder: where the wheels go.
            constraints: versions that are taken of packages, if these are needed at all.
            more_wheels: a folder with wheels that the index need not have.

        Raises:
            NothingFits: a package has no version that fits.
            PackageError: there is no pip, the index cannot be reached, or versions exclude each
                other.
        """
        more = [] if more_wheels is None else [f"--find-links={more_wheels}"]
        self._download([*requirements], folder, [*constraints], more)
        return sorted(folder.glob("*.whl"))

    def fetch(self, pins: Mapping[str, str], folder: Path) -> None:
        """Download wheels that are known, and nothing else.

        Args:
            pins: the SHA-256 of each wheel, in hexadecimal, by `name==version`.
            folder: where the wheels go.

        Raises:
            PackageError: there is no pip, the index cannot be reached, or it has no such wheel.
        """
        lines = [f"{pin} --hash=sha256:{digest}" for pin, digest in pins.items()]
        try:
            self._download(lines, folder, [], ["--no-deps", "--require-hashes"])
        except NothingFits as error:
            raise PackageError(
                f"The package index does not have {error.requirement} any more."
            ) from error

    def versions(self, name: str, what: For) -> list[str]:
        """The versions of a package that have what is asked for; none when pip cannot tell."""
        options: dict[For, tuple[str, ...]] = {
            "browser": self.target.pip_options,
            "here": ("--only-binary=:all:", "--ignore-requires-python"),
            "anything": ("--ignore-requires-python",),
        }
        ended = self._pip(
            ["index", "versions", "--no-input", "--pre", "--json", *options[what], "--", name]
        )
        try:
            return [str(version) for version in json.loads(ended.said)["versions"]]
        except (ValueError, KeyError, TypeError):
            return []

    def _download(
        self, lines: Sequence[str], folder: Path, constraints: Sequence[str], options: Sequence[str]
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="grace-packages-") as scratch:
            wanted, constrained = Path(scratch, "wanted.txt"), Path(scratch, "constrained.txt")
            wanted.write_text("\n".join(lines) + "\n")
            constrained.write_text("\n".join(constraints) + "\n")
            ended = self._pip(
                [
                    "download",
                    *("--no-input", "--disable-pip-version-check", "--no-color"),
                    *("--progress-bar=off", "--retries=2", f"--dest={folder}"),
                    *self.target.pip_options,
                    *options,
                    *([f"--constraint={constrained}"] if constraints else []),
                    f"--requirement={wanted}",
                ]
            )
        if ended.status:
            raise failure_of(ended)


def failure_of(ended: PipEnded) -> PackageError:
    """Why pip failed, in a sentence without addresses: they may hold a password."""
    text = f"{ended.complained}\n{ended.said}"
    if _BROKEN_CONNECTION in text:
        return PackageError("The package index cannot be reached: is there a network?")
    nowhere = _NOWHERE.search(text)
    missing = _asked_for(nowhere[1].split()[0], text) if nowhere else _NO_MATCH.findall(text)
    for line in missing:
        try:
            requirement = Requirement(line.partition(" (from ")[0].strip())
        except InvalidRequirement:
            continue
        return NothingFits(requirement, _asking_for(requirement.name, text))
    errors = [
        line.removeprefix("ERROR: ")
        for line in ended.complained.splitlines()
        if line.startswith("ERROR: ") and "ResolutionImpossible" not in line
    ]
    reason = _ADDRESS.sub("(an address)", errors[0] if errors else f"exit status {ended.status}")
    return PackageError(f"pip has failed: {reason[:_LONGEST].rstrip('.')}.")


def _asked_for(name: str, text: str) -> list[str]:
    """How a package is asked for: with versions, where all who need it say the same."""
    asked = set(re.findall(rf"depends on ({re.escape(name)}\b[^;\n]*)", text))
    return [asked.pop() if len(asked) == 1 else name]


def _asking_for(name: str, text: str) -> str | None:
    """Who needs a package, as far as pip says."""
    found = re.search(
        rf"^ +(\S+) \S+ depends on {re.escape(name)}\b"
        rf"|the requirement {re.escape(name)}\b[^\n]* \(from (?!versions|-r)([\w.-]+)",
        text,
        re.MULTILINE,
    )
    return (found[1] or found[2]) if found else None
