"""The Python packages that a study names, as text: checked here, looked up elsewhere."""

import re
from collections.abc import Sequence

from app.studies.checks import as_tuple_of, first_repeated, require

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:~=|===?|!=|<=|>=|<|>)\s*[A-Za-z0-9._*+!-]+"
_REQUIREMENT = re.compile(
    rf"\s*(?P<name>{_NAME})"
    rf"(?:\s*\[\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\])?"
    rf"\s*(?:{_CLAUSE}(?:\s*,\s*{_CLAUSE})*)?\s*",
    re.ASCII,
)
_LONGEST = 200


def normal_name(name: str) -> str:
    """The one spelling of a package's name (PyPA specification "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required_name(requirement: str) -> str:
    """The package that a checked requirement asks for, in its one spelling."""
    match = _REQUIREMENT.fullmatch(requirement)
    return normal_name(match["name"] if match else requirement)


def checked_packages(
    packages: Sequence[str], distribution_packages: Sequence[str], name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return both lists as tuples; refuse what names no package, or names one twice.

    Args:
        packages: requirements: names, extras and versions as in PEP 508, without URL and marker.
        distribution_packages: names.
        name: the study, for the refusal.
    """
    packages = as_tuple_of(str, packages, f"{name}: packages")
    for requirement in packages:
        require(
            len(requirement) <= _LONGEST and _REQUIREMENT.fullmatch(requirement) is not None,
            f"{name}: packages has {requirement!r}: write a package's name and, if you like, its "
            "versions, such as 'networkx>=3.4' (no addresses, no paths, no markers).",
        )
    distribution_packages = as_tuple_of(
        str, distribution_packages, f"{name}: distribution_packages"
    )
    for package in distribution_packages:
        require(
            len(package) <= _LONGEST and re.fullmatch(_NAME, package, re.ASCII) is not None,
            f"{name}: distribution_packages has {package!r}: write the name of a package of "
            "Pyodide's distribution, such as 'numpy', without a version.",
        )
    twice = first_repeated(
        [required_name(one) for one in packages]
        + [normal_name(one) for one in distribution_packages]
    )
    require(
        twice is None,
        f"{name}: the package {twice!r} is named twice: name it once, in packages or in "
        "distribution_packages.",
    )
    return packages, distribution_packages
