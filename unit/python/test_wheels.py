"""Wheels: what they say, and what of them may be installed."""

import stat
import zipfile
from pathlib import Path

import pytest

from app.errors import PackageError
from app.python.wheels import WheelName, installed_files, wheel_metadata, wheel_name
from unit.fakes.wheels import WEBASSEMBLY, make_wheel, make_zip

METADATA = ("x-1.0.dist-info/METADATA", b"Name: x\n")


def test_a_file_name_says_what_it_is() -> None:
    """Its package, in its one spelling, its version, and whether it runs everywhere."""
    assert wheel_name("Some_Thing-1.0-py2.py3-none-any.whl") == WheelName("some-thing", "1.0", True)
    assert not wheel_name(f"x-1.0-{WEBASSEMBLY}.whl").pure
    assert not wheel_name("x-1.0-py3-none-any.linux_x86_64.whl").pure


@pytest.mark.parametrize(
    "name",
    [
        "x.zip",
        "x-1.0.tar.gz",
        "x-1.0.whl",
        "../x-1.0-py3-none-any.whl",
        "x-1.0-1/../y-py3-none-any.whl",
        "x-1.0-1\\..\\y-py3-none-any.whl",
    ],
)
def test_other_file_names_are_refused(name: str) -> None:
    """A source distribution, or a path."""
    with pytest.raises(PackageError, match="is no file name of a wheel"):
        wheel_name(name)


def test_a_wheel_says_what_it_needs(tmp_path: Path) -> None:
    """Packages with their markers, and versions of Python."""
    wheel = make_wheel(tmp_path, "x", requires=["y>=1; extra == 'z'"], requires_python=">=3.9")
    metadata = wheel_metadata(wheel)
    assert [one.name for one in metadata.requires] == ["y"]
    assert metadata.requires_python == ">=3.9"
    assert wheel_metadata(make_wheel(tmp_path, "y")).requires_python == ""


def test_a_wheel_that_needs_nonsense_is_refused(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(PackageError, match=r"x-1\.0-py3-none-any\.whl requires '\?\?'"):
        wheel_metadata(make_wheel(tmp_path, "x", requires=["??"]))


@pytest.mark.parametrize("members", [[], [METADATA, ("y.dist-info/METADATA", b"Name: y\n")]])
def test_a_wheel_has_one_description(
    members: list[tuple[zipfile.ZipInfo | str, bytes]], tmp_path: Path
) -> None:
    """Not none, and not two."""
    with pytest.raises(PackageError, match="has no METADATA, or too many"):
        wheel_metadata(make_zip(tmp_path / "x.whl", members))


def test_what_a_wheel_holds_of_others_is_not_its_description(tmp_path: Path) -> None:
    """Some packages carry others along, each with a description of its own."""
    theirs = "x/_vendor/y-2.0.dist-info/METADATA"
    wheel = make_wheel(tmp_path, "x", requires=["z"], files={theirs: "Name: y\n"})
    assert [one.name for one in wheel_metadata(wheel).requires] == ["z"]


def test_a_description_that_would_become_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is unpacked: some kilobytes of a wheel can become gigabytes."""
    wheel = make_zip(tmp_path / "x.whl", [METADATA])
    monkeypatch.setattr("app.python.wheels.MOST_BYTES", len(METADATA[1]))
    assert wheel_metadata(wheel).requires == ()
    monkeypatch.setattr("app.python.wheels.MOST_BYTES", len(METADATA[1]) - 1)
    with pytest.raises(PackageError, match=r"x\.whl is larger than a package may be"):
        wheel_metadata(wheel)


def test_what_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    """An error page that was saved as a wheel, for instance."""
    (tmp_path / "x.whl").write_text("<html>")
    with pytest.raises(PackageError, match=r"x\.whl is no wheel"):
        wheel_metadata(tmp_path / "x.whl")
    with pytest.raises(PackageError, match=r"x\.whl is no wheel"):
        installed_files([tmp_path / "x.whl"])


def test_files_lie_as_in_site_packages(tmp_path: Path) -> None:
    """Modules, metadata and licences; no scripts and no headers, which a browser cannot use."""
    wheel = make_wheel(
        tmp_path,
        "x",
        files={
            "x_more/__init__.py": "",
            "x_more/tests/test_x.py": "1",
            "x-1.0.data/purelib/x_data.py": "pure",
            "x-1.0.data/platlib/x_plat/y.py": "plat",
            "x-1.0.data/scripts/run": "#!python",
            "x-1.0.data/headers/x.h": "int x;",
            "x-1.0.data/data/share/x": "data",
            "x-1.0.dist-info/entry_points.txt": "[x]",
            "x-1.0.dist-info/licenses/LICENSE": "free",
        },
    )
    assert sorted(installed_files([wheel])) == [
        "x-1.0.dist-info/METADATA",
        "x-1.0.dist-info/RECORD",
        "x-1.0.dist-info/WHEEL",
        "x-1.0.dist-info/entry_points.txt",
        "x-1.0.dist-info/licenses/LICENSE",
        "x.py",
        "x_data.py",
        "x_more/__init__.py",
        "x_more/tests/test_x.py",
        "x_plat/y.py",
    ]


def test_folders_and_other_data_are_no_files(tmp_path: Path) -> None:
    """Only a folder in a wheel is one of data, and only what lies below a part of it counts."""
    members: list[tuple[zipfile.ZipInfo | str, bytes]] = [
        ("x/", b""),
        ("x/y.py", b"1"),
        ("x-1.0.data/purelib", b"2"),
        ("settings.data", b"3"),
    ]
    wheel = make_zip(tmp_path / "x.whl", members)
    assert installed_files([wheel]) == {"x/y.py": b"1", "settings.data": b"3"}


@pytest.mark.parametrize(
    "path",
    ["../x.py", "/x.py", "a/../../x.py", "a/./x.py", "a//x.py", "a\\x.py", "C:x.py", "./x.py"],
)
def test_paths_that_lead_elsewhere_are_refused(path: str, tmp_path: Path) -> None:
    """Nothing is written but what lies below site-packages."""
    wheel = make_zip(tmp_path / "x.whl", [(zipfile.ZipInfo(path), b"")])
    with pytest.raises(PackageError, match="that is not allowed"):
        installed_files([wheel])


def test_a_path_of_data_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """Also where a part of it is taken away."""
    wheel = make_zip(tmp_path / "x.whl", [("x.data/purelib/../../y.py", b"")])
    with pytest.raises(PackageError, match="that is not allowed"):
        installed_files([wheel])


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_what_is_no_plain_file_is_refused(kind: int, tmp_path: Path) -> None:
    """A link could lead anywhere."""
    member = zipfile.ZipInfo("x.py")
    member.external_attr = (kind | 0o777) << 16
    with pytest.raises(PackageError, match=r"'x\.py' is no plain file"):
        installed_files([make_zip(tmp_path / "x.whl", [(member, b"/etc/passwd")])])


def test_two_packages_with_one_file_are_refused(tmp_path: Path) -> None:
    """One would break the other; where they agree, as on a namespace, nothing is lost."""
    same = [make_wheel(tmp_path, name, files={"shared/__init__.py": ""}) for name in ("x", "y")]
    assert "shared/__init__.py" in installed_files(same)
    other = make_wheel(tmp_path, "z", files={"shared/__init__.py": "1"})
    with pytest.raises(PackageError, match=r"z-1\.0-.* has a second shared/__init__\.py"):
        installed_files([*same, other])


def test_a_file_in_one_wheel_twice_is_refused(tmp_path: Path) -> None:
    """Which of them counts would depend on who unpacks it."""
    wheel = tmp_path / "x.whl"
    with pytest.warns(UserWarning, match="Duplicate name"):
        make_zip(wheel, [("x.py", b"1"), ("x.py", b"1")])
    with pytest.raises(PackageError, match=r"x\.whl has a second x\.py"):
        installed_files([wheel])


def test_a_file_that_is_a_folder_elsewhere_is_refused(tmp_path: Path) -> None:
    """No file system could hold both."""
    one = make_wheel(tmp_path, "x", files={"a": ""})
    other = make_wheel(tmp_path, "y", files={"a/b/c.py": ""})
    with pytest.raises(PackageError, match="a is a file of one package and a folder of another"):
        installed_files([one, other])


def test_what_would_become_too_large_is_refused(tmp_path: Path) -> None:
    """All packages together, before anything of that size is unpacked."""
    wheels = [
        make_wheel(tmp_path, name, files={f"{name}.bin": b"\0" * 1000}) for name in ("x", "y")
    ]
    files = installed_files(wheels, most_bytes=3000)
    total = sum(len(content) for content in files.values())
    assert installed_files(wheels, most_bytes=total, most_files=len(files)) == files
    with pytest.raises(PackageError, match=r"larger than 0\.0015 MB .* with y-1\.0"):
        installed_files(wheels, most_bytes=1500)
    with pytest.raises(PackageError, match=f"larger than {(total - 1) / 1e6:g} MB .* with y"):
        installed_files(wheels, most_bytes=total - 1)
    with pytest.raises(PackageError, match="more than 5 files with y"):
        installed_files(wheels, most_files=5)
    with pytest.raises(PackageError, match="more than 9 files with y"):
        installed_files(wheels, most_files=len(files) - 1)


def test_the_size_of_what_is_unpacked_counts(tmp_path: Path) -> None:
    """And not that of the wheel: zeros take next to no place in it."""
    with zipfile.ZipFile(tmp_path / "x.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.bin", bytes(100_000))
    with pytest.raises(PackageError, match=r"larger than 0\.01 MB"):
        installed_files([tmp_path / "x.whl"], most_bytes=10_000)


def test_a_damaged_wheel_is_refused(tmp_path: Path) -> None:
    """The checksum of each file is checked."""
    wheel = make_wheel(tmp_path, "x", files={"x.bin": b"content-of-x"})
    wheel.write_bytes(wheel.read_bytes().replace(b"content-of-x", b"content-of-y"))
    with pytest.raises(PackageError, match="cannot be unpacked: Bad CRC-32"):
        installed_files([wheel])


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_cannot_be_unpacked_is_refused(method: int, tmp_path: Path) -> None:
    """Whichever way it was compressed, in the project's own words."""
    wheel, content = tmp_path / "x.whl", b"some words, some words, some words" * 9
    with zipfile.ZipFile(wheel, "w", method) as archive:
        archive.writestr("x.py", content)
        member = archive.getinfo("x.py")
    data = wheel.read_bytes()
    # The first bytes tell how bzip2 and LZMA have compressed.
    kept = 0 if method == zipfile.ZIP_DEFLATED else 9
    begin = data.index(b"x.py") + len("x.py") + kept
    damaged = data[:begin] + b"\xff" * (member.compress_size - kept)
    wheel.write_bytes(damaged + data[len(damaged) :])
    with pytest.raises(PackageError, match=r"x\.whl cannot be unpacked"):
        installed_files([wheel])


def test_an_index_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A zip file of a later version, and a name that is no UTF-8 though it says so."""
    wheel = make_zip(tmp_path / "x.whl", [("x.py", b"x")])
    whole = wheel.read_bytes()
    index = whole.index(b"PK\x01\x02")
    for changes in ({6: 200}, {9: 8, whole.index(b"x.py", index) - index: 0xFF}):
        data = bytearray(whole)
        for offset, value in changes.items():
            data[index + offset] = value
        wheel.write_bytes(data)
        with pytest.raises(PackageError, match=r"x\.whl is no wheel"):
            installed_files([wheel])


def test_a_description_that_is_encrypted_is_refused(tmp_path: Path) -> None:
    """Nobody has a password for it."""
    wheel = make_zip(tmp_path / "x.whl", [METADATA])
    data = bytearray(wheel.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    wheel.write_bytes(data)
    with pytest.raises(PackageError, match=r"x\.whl cannot be unpacked: .* is encrypted"):
        wheel_metadata(wheel)
