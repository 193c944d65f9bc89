"""Two CI systems, as far as the examples use them: they run a job's scripts, and keep its comments."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

ROOT = Path(__file__).parent.parent.parent
CI = ROOT / "examples" / "ci"

GH = """\
#!{python}
import json, os, sys
from pathlib import Path
import jq

kept = Path(os.environ["GH_COMMENTS"])
comments = json.loads(kept.read_text()) if kept.exists() else []
match sys.argv[1:]:
    case ["pr", "comment", "7", "--body-file", file]:
        comments.append({{"user": {{"login": "github-actions[bot]"}}, "body": Path(file).read_text()}})
        kept.write_text(json.dumps(comments))
    case ["api", "repos/team/keys/commits/abc123/pulls", "--jq", program]:
        print(*jq.compile(program).input_value([{{"number": 7}}]).all(), sep="\\n")
    case ["api", "--paginate", "repos/team/keys/issues/7/comments", "--jq", program]:
        print(*jq.compile(program).input_value(comments).all(), sep="\\n")
    case words:
        sys.exit(f"gh does not know {{words}}")
"""
"""What the examples ask of GitHub's command line; its jq programs are run by jq itself."""


BOT = 1
"""The id of GitLab's user whose token the jobs have."""


@dataclass
class Ran:
    """How a job ended, and what its scripts said."""

    code: int = 0
    said: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class GitHub:
    """Runs the workflows of examples/ci/github in one repository."""

    repository: Path
    tools: Path

    def __post_init__(self) -> None:
        _program(self.tools / "gh", GH.format(python=sys.executable))
        _program(self.tools / "pip", "#!/bin/sh\n")

    def somebody_comments(self, body: str) -> None:
        """Somebody who is not the bot writes below the pull request."""
        kept = self.tools / "comments.json"
        known = json.loads(kept.read_text()) if kept.exists() else []
        kept.write_text(json.dumps([*known, {"user": {"login": "mallory"}, "body": body}]))

    def run(self, job: str, *, fork: bool = False) -> Ran:
        """Every step of a workflow's one job, until one fails."""
        document = yaml.safe_load((CI / "github" / f"{job}.yml").read_text())
        (steps,) = document["jobs"].values()
        ran = Ran()
        for step in steps["steps"]:
            if "run" not in step or not self._wanted(step.get("if", ""), ran, fork=fork):
                continue
            given = {**steps.get("env", {}), **step.get("env", {})}
            self._step(step["run"], {name: self._value(text, ran) for name, text in given.items()}, ran)
        return ran

    def _wanted(self, condition: str, ran: Ran, *, fork: bool) -> bool:
        if ran.code and condition != "always()":
            return False
        return {
            "": True,
            "always()": True,
            "github.event.pull_request.head.repo.full_name == github.repository": not fork,
            "steps.check.outputs.due == '2'": ran.outputs.get("check.due") == "2",
        }[condition]

    def _value(self, text: str, ran: Ran) -> str:
        values = {
            "github.event.pull_request.number": "7",
            "steps.looked.outputs.digest": ran.outputs.get("looked.digest", ""),
        }

        def value(found: re.Match[str]) -> str:
            name = found[1]
            return "" if name.startswith(("secrets.", "github.token", "github.repository")) else values[name]

        return re.sub(r"\$\{\{ ([\w.]+) \}\}", value, text)

    def _step(self, script: str, given: Mapping[str, str], ran: Ran) -> None:
        output = self.tools / "output"
        output.write_text("")
        done = _bash(
            script,
            self.repository,
            self.tools,
            {
                **given,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.tools / "summary.md"),
                "GITHUB_REPOSITORY": "team/keys",
                "GITHUB_SHA": "abc123",
                "GH_COMMENTS": str(self.tools / "comments.json"),
            },
        )
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            ran.outputs[f"{'looked' if name == 'digest' else 'check'}.{name}"] = value
        ran.code, ran.said = ran.code or done.returncode, ran.said + done.stdout


@dataclass
class GitLab:
    """Runs the jobs of examples/ci/gitlab in one repository, beside a GitLab that keeps the comments."""

    repository: Path
    tools: Path
    url: str
    notes: list[dict[str, Any]]

    def __post_init__(self) -> None:
        shutil.copy(CI / "gitlab" / "merge_request.py", self.repository)

    def somebody_comments(self, body: str) -> None:
        """Somebody who is not the bot writes below the merge request."""
        self.notes.append({"author": {"id": BOT + 1}, "body": body})

    def run(self, job: str) -> Ran:
        """The script of one job."""
        document = yaml.safe_load((CI / "gitlab" / "provision.gitlab-ci.yml").read_text())
        done = _bash(
            "\n".join(document[job]["script"]),
            self.repository,
            self.tools,
            {
                "CI_API_V4_URL": self.url,
                "CI_PROJECT_ID": "3",
                "CI_MERGE_REQUEST_IID": "7",
                "CI_COMMIT_SHA": "abc123",
                "PROVISION_BOT_TOKEN": "bot",
            },
        )
        allowed = document[job].get("allow_failure", {}).get("exit_codes", [])
        return Ran(0 if done.returncode in allowed else done.returncode, done.stdout)


@contextmanager
def gitlab(repository: Path, tools: Path) -> Iterator[GitLab]:
    """A GitLab on this machine, for one repository."""
    notes: list[dict[str, Any]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["PRIVATE-TOKEN"] == "bot"
            path = urlsplit(self.path).path
            self._say(
                {
                    "/user": {"id": BOT},
                    "/projects/3/repository/commits/abc123/merge_requests": [{"iid": 7}],
                    "/projects/3/merge_requests/7/notes": notes[::-1],
                }[path]
            )

        def do_POST(self) -> None:
            assert self.path == "/projects/3/merge_requests/7/notes"
            body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["body"][0]
            notes.append({"author": {"id": BOT}, "body": body})
            self._say(notes[-1])

        def _say(self, document: Any) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield GitLab(repository, tools, f"http://127.0.0.1:{server.server_port}", notes)
        server.shutdown()


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _bash(
    script: str, folder: Path, tools: Path, given: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner does: the first command that fails ends it."""
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **given, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
