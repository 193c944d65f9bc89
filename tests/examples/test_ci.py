"""The CI jobs of examples/ do what their page says, from a pull request to the morning after a refresh."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml
from ci_systems import CI, ROOT, GitHub, GitLab, gitlab

FORGED = f"Digest: `{'0' * 64}`"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A team's manifests, on the sandbox."""
    return Path(shutil.copytree(ROOT / "examples" / "two-environments", tmp_path / "keys"))


@pytest.fixture(params=["github", "gitlab"])
def system(request: pytest.FixtureRequest, repository: Path, tmp_path: Path) -> Iterator[GitHub | GitLab]:
    """Either system, for these manifests."""
    tools = tmp_path / "tools"
    tools.mkdir()
    if request.param == "github":
        yield GitHub(repository, tools)
        return
    with gitlab(repository, tools) as lab:
        yield lab


def provision(folder: Path, *words: str) -> str:
    """One command at a terminal."""
    command = [sys.executable, "-m", "provisioner", "-C", str(folder), *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_from_a_pull_request_to_the_refresh(system: GitHub | GitLab) -> None:
    """What was looked at is applied, nothing drifts, and test is brought back after its refresh, once."""
    assert 0 == system.run("plan").code
    system.somebody_comments(FORGED)
    applied = system.run("apply")
    assert 0 == applied.code, applied.said
    assert 6 == len(provision(system.repository, "state", "list").splitlines())
    assert 0 == system.run("drift").code
    provision(system.repository, "sandbox", "refresh")
    assert 2 == system.run("drift").code
    brought_back = system.run("bootstrap")
    assert 0 == brought_back.code, brought_back.said
    assert "test is as it was left" in system.run("bootstrap").said
    assert 0 == system.run("renew").code
    assert 0 == system.run("drift").code


def test_what_moved_since_is_not_applied(system: GitHub | GitLab) -> None:
    """An edit that nobody looked at is refused with exit code 3, and nothing is done."""
    assert 0 == system.run("plan").code
    manifest = system.repository / "credentials" / "payroll.yaml"
    manifest.write_text(manifest.read_text().replace("team-payroll", "team-payroll-eu"))
    assert 3 == system.run("apply").code
    assert "" == provision(system.repository, "state", "list")


def test_a_fork_is_only_checked(repository: Path, tmp_path: Path) -> None:
    """A pull request from a fork has no secrets: its manifests are checked, and nothing else is done."""
    tools = tmp_path / "tools"
    tools.mkdir()
    assert 0 == GitHub(repository, tools).run("plan", fork=True).code
    assert not (tools / "comments.json").exists()


@pytest.mark.parametrize("event", ["plan.yml pull_request", "apply.yml push"])
@pytest.mark.parametrize(
    "file", ["provision.yaml", "credentials/a/b.yml", "regions.yaml", "data/regions.yml"]
)
def test_whatever_a_plan_is_made_of_is_looked_at(event: str, file: str) -> None:
    """A change of any manifest, or of a file with elements of a family, is planned and applied."""
    name, kind = event.split()
    document = yaml.load((CI / "github" / name).read_text(), yaml.BaseLoader)  # `on` stays text
    globs = document["on"][kind]["paths"]
    assert any(fnmatchcase(file, glob) for glob in globs if not glob.startswith("!"))
    assert not any(fnmatchcase(file, glob[1:]) for glob in globs if glob.startswith("!"))


@pytest.mark.parametrize("path", sorted(CI.glob("*/*.yml")), ids=lambda path: path.stem)
def test_no_script_holds_an_expression(path: Path) -> None:
    """What a pull request can choose never becomes part of a script: it comes as a variable."""
    document = yaml.safe_load(path.read_text())
    scripts = [step.get("run", "") for job in document.get("jobs", {}).values() for step in job["steps"]]
    assert [] == [script for script in scripts if "${{" in script]


def test_every_job_is_told_of() -> None:
    """The page names each file and each job of GitLab, and no other."""
    page = (CI / "README.md").read_text()
    files = {str(path.relative_to(CI)) for path in CI.glob("*/*") if path.is_file()}
    assert files == set(re.findall(r"\]\(([^)]+)\)", page))
    jobs = yaml.safe_load((CI / "gitlab" / "provision.gitlab-ci.yml").read_text())
    assert jobs.keys() - {"default"} == set(re.findall(r"\| `(\w+)` \|$", page, re.MULTILINE))
