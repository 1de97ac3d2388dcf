"""What a study may name as its packages."""

from typing import Any

import pytest

from app.errors import StudyError
from app.studies import End, Study
from app.studies.requirements import normal_name, required_name


def study(**given: Any) -> Study:
    """A study that names packages."""
    end = End(scene_id="end", title="End", markdown="")
    return Study(study_id="mine", title="Mine", scenes=[end], **given)


def test_a_study_needs_no_packages() -> None:
    """Most studies name none."""
    assert (study().packages, study().distribution_packages) == ((), ())


@pytest.mark.parametrize(
    "requirement",
    ["networkx", "networkx>=3.4", "a.b_c-d", "x ~= 1.0, != 1.3.*", "attrs[a,b]==1!2.0+l", "x<2,>1"],
)
def test_names_extras_and_versions_are_taken(requirement: str) -> None:
    """As they are written for pip, and kept as they are written."""
    assert study(packages=[requirement]).packages == (requirement,)


@pytest.mark.parametrize(
    "requirement",
    [
        "",
        "-r more.txt",
        "--index-url=x",
        "./wheels/x.whl",
        "x @ file:///x.whl",
        "git+ssh://host/x",
        "x; sys_platform == 'linux'",
        "x>=",
        "x\ny",
        "x==1 --hash=sha256:0",
        "x" * 201,
        "né",
    ],
)
def test_anything_else_is_refused(requirement: str) -> None:
    """No addresses, no paths, no markers, and nothing that pip would take for an option."""
    with pytest.raises(StudyError, match="write a package's name and, if you like, its versions"):
        study(packages=[requirement])


@pytest.mark.parametrize("name", ["numpy==2", "numpy[a]", "", "../x", "-x", "x" * 201])
def test_a_distribution_has_one_version_of_each_package(name: str) -> None:
    """So a name is all that can be asked for."""
    with pytest.raises(StudyError, match="without a version"):
        study(distribution_packages=[name])


@pytest.mark.parametrize(
    "given",
    [
        {"packages": ["a-b", "A.b>=1"]},
        {"distribution_packages": ["numpy", "NumPy"]},
        {"packages": ["numpy"], "distribution_packages": ["numpy"]},
    ],
    ids=str,
)
def test_a_package_is_named_once(given: dict[str, Any]) -> None:
    """Whatever the spelling, and wherever it should come from."""
    with pytest.raises(StudyError, match="is named twice"):
        study(**given)


@pytest.mark.parametrize("given", [{"packages": "networkx"}, {"distribution_packages": [1]}])
def test_a_string_is_no_list(given: dict[str, Any]) -> None:
    """A single name outside a list is a mistake, not eight packages of one letter."""
    with pytest.raises(StudyError, match="write a list or tuple of str"):
        study(**given)


def test_names_have_one_spelling() -> None:
    """That of the specification."""
    assert normal_name("Typing_Extensions") == normal_name("typing.-extensions")
    assert required_name(" Attrs [a]>=1") == "attrs"
