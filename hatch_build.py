"""The build hook: the page and its assets become part of every wheel."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsBuildHook(BuildHookInterface[BuilderConfig]):
    """Fetches the browser assets before a wheel is built, an editable one too."""

    def dependencies(self) -> list[str]:
        """Return what the build needs besides hatchling: Node.js from PyPI, where there is no npm.

        Called before the build environment is complete (PEP 517, `get_requires_for_build_wheel`).
        """
        assets = self._assets()
        if assets.is_current(Path(self.root)) or assets.npm_command():
            return []
        requirements: list[str] = self.metadata.config["dependency-groups"]["node"]
        return requirements

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the assets; put `static/` into a wheel as `app/static/`.

        An editable wheel (`version` is "editable") gets nothing: there the page is served from
        the checkout.
        """
        assets = self._assets()
        try:
            assets.fetch(Path(self.root))
        except assets.AssetsError as error:
            raise SystemExit(str(error)) from None
        if version == "standard":
            # Forced, because `static/vendor` is ignored by git and would be left out.
            build_data["force_include"]["static"] = "app/static"

    def _assets(self) -> ModuleType:
        """Import `tools/assets.py` by its path: a build has no checkout on `sys.path`."""
        spec = importlib.util.spec_from_file_location(
            "grace_assets", Path(self.root) / "tools" / "assets.py"
        )
        if spec is None or spec.loader is None:
            raise SystemExit("tools/assets.py, which fetches the browser assets, is missing.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
