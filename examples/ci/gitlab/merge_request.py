"""Keeps the plan that people looked at with their merge request: the bot comments, and finds it again.

    python merge_request.py comment plan.md    in a merge request's pipeline
    python merge_request.py digest             in the merge's pipeline: the digest of the newest such comment

Only what the bot itself wrote counts. Needs PROVISION_BOT_TOKEN, and what GitLab sets in every job.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

LONGEST = 900_000
"""Characters of one comment; GitLab takes a million."""


def main(words: list[str]) -> int:
    """Do what is asked, and return the exit code."""
    match words:
        case ["comment", path]:
            comment(Path(path).read_text(encoding="utf-8"))
        case ["digest"]:
            sys.stdout.write(f"{digest()}\n")
        case _:
            sys.stderr.write(f"{__doc__}")
            return 64
    return 0


def comment(text: str) -> None:
    """Comment on the merge request of this pipeline."""
    number = os.environ["CI_MERGE_REQUEST_IID"]
    _call(f"projects/{_project()}/merge_requests/{number}/notes", body=text[:LONGEST])


def digest() -> str:
    """The digest of the plan that was looked at before the commit of this pipeline was merged."""
    commit = os.environ["CI_COMMIT_SHA"]
    requests = _call(f"projects/{_project()}/repository/commits/{commit}/merge_requests")
    if not requests:
        raise SystemExit(f"{commit} came without a merge request: no plan of it was looked at")
    notes = f"projects/{_project()}/merge_requests/{requests[0]['iid']}/notes"
    newest_first = _call(f"{notes}?sort=desc&order_by=created_at&per_page=100")
    me = _call("user")["id"]
    for note in newest_first:
        found = re.search(r"Digest: `([0-9a-f]{64})`", note["body"])
        if found and note["author"]["id"] == me:
            return found.group(1)
    raise SystemExit("the merge request has no comment with a plan")


def _project() -> str:
    return os.environ["CI_PROJECT_ID"]


def _call(path: str, **fields: str) -> Any:
    """One call of GitLab's API; with fields it writes."""
    asked = Request(  # noqa: S310 - GitLab itself says where its API is
        f"{os.environ['CI_API_V4_URL']}/{path}",
        data=urlencode(fields).encode() if fields else None,
        headers={"PRIVATE-TOKEN": os.environ["PROVISION_BOT_TOKEN"]},
    )
    with urlopen(asked, timeout=30) as answer:  # noqa: S310 - as above
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
