"""A copy of the house in which violations are planted, one at a time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from mailer.app import create_app
from mailer.services import Services
from mailer.settings import Settings
from tests.architecture.rules import PACKAGES, ROOT

LINT = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; lint_imports_command()"


@dataclass(frozen=True)
class House:
    """The packages and their contracts, copied."""

    folder: Path

    def lint(self, additions: Mapping[str, str]) -> str:
        """What import-linter says with these lines added to these files; the copy is then as it was."""
        before = {path: path.read_bytes() if path.exists() else None
                  for path in (self.folder / name for name in additions)}
        try:
            for name, text in additions.items():
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"\n{text}\n")
            run = subprocess.run([sys.executable, "-c", LINT, "--no-logo", "--no-cache"], cwd=self.folder, text=True,
                                 capture_output=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        finally:
            for path, content in before.items():
                if content is None:
                    shutil.rmtree(path.parent) if path.name == "__init__.py" else path.unlink()
                else:
                    path.write_bytes(content)
        return run.stdout + run.stderr


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return House(folder)


@pytest.fixture
def app(settings: Settings, services: Services, jobs: object) -> Flask:
    """The whole application, as it is served."""
    return create_app(settings, jobs=jobs, services=services)  # type: ignore[arg-type] # The tests' own queue.
