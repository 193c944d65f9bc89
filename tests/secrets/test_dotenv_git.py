"""A delivered secret is never one `git add` away from a remote."""

from __future__ import annotations

import asyncio
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.dotenv import DotenvSink

CANARY = "canary-77aa"
MakeParcel = Callable[..., Parcel]


def _sink(root: Path, path: str = "app.env") -> DotenvSink:
    return DotenvSink(SinkConfig("app-env", "dotenv", {"path": path}), root)


def _deliver(root: Path, parcel: Parcel, path: str = "app.env") -> None:
    asyncio.run(_sink(root, path).deliver(parcel))


def _refused(root: Path, parcel: Parcel, path: str = "app.env") -> SinkError:
    with pytest.raises(SinkError) as caught:
        _deliver(root, parcel, path)
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caught.value.remedy
    return caught.value


@pytest.fixture
def one(parcel: MakeParcel) -> Parcel:
    """One value under the name KEY."""
    return parcel({"KEY": CANARY})


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A git work tree that ignores `secrets/`."""
    folder = tmp_path / "tree"
    folder.mkdir()
    _git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("/secrets/\n*.secret\n")
    return folder


@pytest.mark.parametrize("path", ["secrets/{environment}/app.env", "deep/er/x.secret"])
def test_ignored_in_git(tree: Path, one: Parcel, path: str) -> None:
    """A file that git ignores is written, before its folder exists and after."""
    _deliver(tree, one, path)
    _deliver(tree, one, path)
    assert f"KEY={CANARY}\n" == (tree / path.replace("{environment}", "test")).read_text()


@pytest.mark.parametrize("path", ["app.env", "deep/er/app.env", "secrets.env"])
def test_not_ignored_in_git(tree: Path, one: Parcel, path: str) -> None:
    """A file that git would take is refused with the way out, and nothing is made."""
    error = _refused(tree, one, path)
    assert (
        f"{tree.resolve() / path} lies in the git work tree {tree.resolve()} and is not ignored there"
        == error.message
    )
    assert str(tree.resolve() / ".gitignore") in error.remedy
    assert {".git", ".gitignore"} == {entry.name for entry in tree.iterdir()}


def test_tracked_in_git(tree: Path, one: Parcel) -> None:
    """A tracked file is refused even where a pattern would ignore it."""
    (tree / "app.secret").write_text("KEY=old\n")
    _git(tree, "add", "--force", "app.secret")
    assert "is not ignored" in _refused(tree, one, "app.secret").message
    assert "KEY=old\n" == (tree / "app.secret").read_text()


def test_project_below_a_work_tree(tree: Path, one: Parcel) -> None:
    """The work tree counts from wherever above the project it starts, and for absolute paths too."""
    (tree / "project").mkdir()
    assert "is not ignored" in _refused(tree / "project", one).message
    assert "is not ignored" in _refused(tree.parent, one, str(tree.resolve() / "app.env")).message


def test_git_is_not_misled_by_the_environment(
    tree: Path, one: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that point git to another repository do not change the answer."""
    monkeypatch.setenv("GIT_DIR", str(tree.parent / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tree.parent))
    assert "is not ignored" in _refused(tree, one).message


def test_git_is_not_installed(tree: Path, one: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git nobody can say whether a file is ignored, so it is refused; outside it is written."""
    monkeypatch.setenv("PATH", str(tree))
    error = _refused(tree, one, "secrets/app.env")
    assert "git is not installed" in error.message
    assert "install git" in error.remedy
    _deliver(tree.parent, one, "outside.env")


def test_broken_repository(tmp_path: Path, one: Parcel) -> None:
    """Where git itself cannot say, the delivery is refused in git's words."""
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert "git cannot say whether" in _refused(tmp_path, one).message


@pytest.mark.parametrize("path", [".git/config", "sub/.GIT/x"])
def test_git_folder_itself(tmp_path: Path, one: Parcel, path: str) -> None:
    """Nothing is ever delivered into git's own folder."""
    assert "git's own folder" in _refused(tmp_path, one, path).message
