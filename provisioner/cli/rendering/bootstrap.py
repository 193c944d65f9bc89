"""What a refresh left in an environment, as one sentence, as lines, and as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from provisioner.cli.bootstrapping import Judged
from provisioner.cli.saved_plan import document
from provisioner.cli.values import count_of, plain
from provisioner.core.bootstrap import Findings, Standing
from provisioner.core.copies import Copy
from provisioner.core.model import Address, JsonValue
from provisioner.core.provider import Outcome

TOLD = (Standing.GONE, Standing.SURVIVES, Standing.REJECTED, Standing.UNDER_WAY, Standing.UNSEEN)
"""What the sentence counts, in its order."""

WORDS = {Standing.SURVIVES: ("survives", "survive")}
"""Where the word for one is another than for several."""


def sentence(findings: Findings) -> str:
    """`test was refreshed from production: 36 gone, 12 survive, 48 copies of production, 3 users missing`."""
    where = findings.environment
    if findings.refreshed:
        originals = sorted({copy.original.environment for copy in findings.copies})
        return f"{where} was refreshed from {', '.join(originals)}: {', '.join(_counts(findings))}"
    if not any(findings.of(one) for one in TOLD if one is not Standing.SURVIVES) and not findings.users:
        return f"{where} is as it was left: {', '.join(_counts(findings)) or 'nothing was in use there'}"
    return f"{where}: {', '.join(_counts(findings))}"


def lines(judged: Judged) -> Iterator[str]:
    """The sentence, and what a plan does not show."""
    findings = judged.findings
    yield plain(sentence(findings))
    if findings.of(Standing.SURVIVES):
        yield f"  {_how_known(findings)}"
    for address, why in sorted(findings.users.items()):
        yield f"  {address}: {plain(why)}"
    for address in findings.of(Standing.UNSEEN):
        yield f"  {address}: its vendor cannot be looked at, and its secret was not proved to work"
    if findings.strangers:
        one = findings.strangers == 1
        yield f"  {findings.strangers} there that {'is' if one else 'are'} not ours, left alone"
    for why in judged.silent:
        yield f"  not seen: {plain(why)}"


def judged_json(judged: Judged, exit_code: int) -> dict[str, JsonValue]:
    """The same for programs, with the plan."""
    findings = judged.findings
    return {
        "environment": findings.environment,
        "summary": sentence(findings),
        "refreshed": findings.refreshed,
        "counts": {
            **{one.name.lower(): len(findings.of(one)) for one in Standing},
            "copies": len(findings.copies),
            "users_missing": findings.missing,
            "strangers": findings.strangers,
        },
        "standings": {str(address): one.value for address, one in sorted(findings.standings.items())},
        "copies": [_copy(one) for one in findings.copies],
        "users": {str(address): why for address, why in sorted(findings.users.items())},
        "tried": {str(address): one.value for address, one in sorted(findings.tried.items())},
        "not_seen": list(judged.silent),
        "exit_code": exit_code,
        "plan": document(judged.plan),
    }


def _counts(findings: Findings) -> Iterator[str]:
    for standing in TOLD:
        if number := len(findings.of(standing)):
            one, several = WORDS.get(standing, (standing.value, standing.value))
            yield f"{number} {one if number == 1 else several}"
    if number := len(findings.copies):
        originals = sorted({copy.original.environment for copy in findings.copies})
        yield f"{number} {'copy' if number == 1 else 'copies'} of {', '.join(originals)}"
    if findings.missing:
        yield f"{count_of(findings.missing, 'user')} missing"


def _how_known(findings: Findings) -> str:
    """Whether what survives was proved by use, or is only shown."""
    survivors: Collection[Address] = findings.of(Standing.SURVIVES)
    works = sum(findings.tried.get(address) is Outcome.WORKS for address in survivors)
    if not findings.tried:
        return "what survives is what the vendors show; with --identity its secrets are tried"
    left = len(survivors) - works
    told = f"of what survives {works} proved to work by use"
    return f"{told}, {left} only shown by the vendor" if left else told


def _copy(copy: Copy) -> JsonValue:
    return {
        "provider": copy.place[0],
        "remote_id": copy.remote_id,
        "original": str(copy.original),
        "generation": copy.generation,
    }
