"""Where the studies of these tests are, and how a folder with all of them is made."""

import shutil
from pathlib import Path

import app.examples.slime_volleyball as shipped

SHIPPED_STUDY = Path(shipped.__path__[0]) / "study.py"
"""The study that ships with the server, in this checkout or in what is installed."""


def lay_out_studies(folder: Path) -> None:
    """Copy the studies of these tests into a folder, beside the environments that they name.

    A study may not name a file outside its own folder, and the shipped environment is not copied
    in the repository.
    """
    shutil.copytree(Path(__file__).with_name("studies"), folder, dirs_exist_ok=True)
    shutil.copy(SHIPPED_STUDY.with_name("slime_volleyball.py"), folder)
