"""The wheel is whole: it works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent.parent


def _run(*words: str | Path, cwd: Path) -> str:
    """What a command prints; it has to succeed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has the wheel, made from the sdist as a release makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, TOP, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    fresh = folder / "fresh"
    _run(sys.executable, "-m", "venv", "--without-pip", fresh, cwd=folder)
    python = fresh / "bin" / "python"
    _run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    # The dependencies are borrowed, so that nothing is fetched. A path in a .pth file brings no .pth files of
    # its own, so the checkout, which is installed in place there, stays out.
    (packages,) = (fresh / "lib").glob("python*/site-packages")
    (packages / "borrowed.pth").write_text(
        "\n".join(sysconfig.get_path(one) for one in ("purelib", "platlib"))
    )
    return fresh / "bin"


def test_nothing_comes_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """The installed package is imported, and nothing of the checkout is on its path."""
    script = "import provisioner, sys; print(provisioner.__file__, *sys.path, sep='\\n')"
    places = _run(installed / "python", "-c", script, cwd=tmp_path).splitlines()
    assert str(installed.parent) in places[0]
    assert str(TOP) not in places


def test_the_main_job_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """The wheel alone makes a project and applies it, where nothing has to do with the checkout."""
    provision = installed / "provision"
    _run(provision, "init", "mine", cwd=tmp_path)
    _run(provision, "-C", "mine", "apply", "--auto-approve", cwd=tmp_path)
    assert "No changes. 4 credentials are as declared" in _run(provision, "-C", "mine", "plan", cwd=tmp_path)


def test_it_carries_what_a_checkout_has(installed: Path, tmp_path: Path) -> None:
    """Each schema, each example and each provider of the checkout is in the wheel."""
    provision = installed / "provision"
    for path in (TOP / "schemas").rglob("*.json"):
        name = path.relative_to(TOP / "schemas").with_suffix("").as_posix()
        assert '"$schema"' in _run(provision, "schema", name, cwd=tmp_path)
    for path in (TOP / "examples").glob("*/provision.yaml"):
        _run(provision, "init", path.parent.name, "--from", path.parent.name, cwd=tmp_path)
        assert "no problems" in _run(provision, "-C", path.parent.name, "validate", cwd=tmp_path)
    listed = {line.split()[0] for line in _run(provision, "providers", cwd=tmp_path).splitlines()[1:]}
    assert {path.stem for path in (TOP / "schemas" / "providers").glob("*.json")} == listed
    contracts = [path.name for path in (TOP / "schemas" / "contracts").iterdir()]
    (carried,) = installed.parent.glob("lib/python*/site-packages/provisioner/schemas/contracts")
    assert sorted(contracts) == sorted(path.name for path in carried.iterdir())
