"""Every example is validated, planned and applied, the way a reader would."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioner import manifest
from provisioner.cli.program import program
from provisioner.cli.starting import RECIPIENT
from provisioner.core.model import Via
from provisioner.providers import registry
from provisioner.resources import EXAMPLES
from provisioner.sandbox.registry import VENDORS

TOP = Path(__file__).parent.parent.parent
WAITING = {"quickstart": 0, "two-environments": 1, "all-vendors": 4}
"""How many credentials of each example wait for people at first."""

FOLDERS = sorted(path.parent for path in (TOP / "examples").glob("*/provision.yaml"))


def _provision(*args: str | Path) -> tuple[int, str]:
    ran = CliRunner().invoke(program, [str(arg) for arg in args])
    return ran.exit_code, ran.output


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_validates_where_it_lies(folder: Path) -> None:
    """An example has no problems, and carries a recipient that is nobody's."""
    code, said = _provision("-C", folder, "validate")
    assert (0, True) == (code, "no problems" in said)
    assert RECIPIENT in (folder / "provision.yaml").read_text()
    assert not (folder / ".provision").exists()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    """An example applies; people do what waits for them; then all is delivered, and there are no changes."""
    root = tmp_path / name
    assert 0 == _provision("init", root, "--from", name)[0]
    code, said = _provision("-C", root, "apply", "--auto-approve")
    assert WAITING[name] == said.count("  waiting  "), said
    if WAITING[name]:
        assert 5 == code
        assert 0 == _provision("-C", root, "sandbox", "operate")[0]
        assert 0 == _provision("-C", root, "sandbox", "approve", "production/merchant-rpp")[0]
        code, _ = _provision("-C", root, "apply", "--auto-approve")
    assert 0 == code
    assert (0, True) == _nothing_left(root)
    for address in _addresses(root):
        assert (root / "secrets" / f"{address}.env").is_file()


def _nothing_left(root: Path) -> tuple[int, bool]:
    code, said = _provision("-C", root, "plan", "--detailed-exitcode")
    return code, "No changes." in said


def _addresses(root: Path) -> list[str]:
    return _provision("-C", root, "state", "list")[1].split()


@pytest.mark.parametrize(("name", "deliveries"), [("two-environments", 2), ("all-vendors", 4)])
def test_the_command_of_an_example_got_its_secrets(name: str, deliveries: int, tmp_path: Path) -> None:
    """The command sink of an example keeps what it gets for its owner alone."""
    _provision("init", tmp_path, "--from", name)
    _provision("-C", tmp_path, "apply", "--auto-approve")
    _provision("-C", tmp_path, "sandbox", "operate")
    kept = list((tmp_path / "secrets" / "handed-over").iterdir())
    assert [0o600] * deliveries == [path.stat().st_mode & 0o777 for path in kept]


def test_all_vendors_has_all_vendors() -> None:
    """The example of all vendors has each twin's vendor in both environments, and one by its portal."""
    project = manifest.load(TOP / "examples" / "all-vendors", registry.load().declarations)
    found = {(one.address.environment, one.provider) for one in project.desired}
    assert {(name, vendor) for name in ("test", "production") for vendor in VENDORS} == found
    assert ["production/card-capture"] == [str(d.address) for d in project.desired if d.via is Via.PORTAL]


def test_every_example_is_known_and_in_the_wheel() -> None:
    """Each file of each example is one that `init` knows and that a wheel carries."""
    known = {f"examples/{name}/{path}" for name, paths in EXAMPLES.items() for path in paths}
    tracked = subprocess.run(
        ["git", "ls-files", "examples"], cwd=TOP, capture_output=True, text=True, check=True
    )
    projects = {f"examples/{folder.name}" for folder in FOLDERS}
    in_folders = {line for line in tracked.stdout.split() if "/".join(line.split("/")[:2]) in projects}
    assert in_folders == known
    build = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]["force-include"]
    assert {path: f"provisioner/{path}" for path in known} == {
        k: v for k, v in wheel.items() if k != "schemas"
    }


def test_the_demo_twice(tmp_path: Path) -> None:
    """The demo ends with no changes and the next step, also the second time, from any folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for _ in range(2):
        done = subprocess.run(
            ["sh", TOP / "examples" / "demo.sh"],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        assert "No changes. 10 credentials are as declared in production and test." in done.stdout
        assert "Next: change a description in .demo/credentials/people.yaml" in done.stdout


def test_the_demo_removes_nothing_of_others(tmp_path: Path) -> None:
    """A folder that no demo made is left alone, also where it is a project with a sandbox."""
    (tmp_path / ".demo" / ".provision" / "sandbox").mkdir(parents=True)
    (tmp_path / ".demo" / "mine").write_text("mine")
    done = subprocess.run(
        ["sh", TOP / "examples" / "demo.sh"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (1, "mine") == (done.returncode, (tmp_path / ".demo" / "mine").read_text())
