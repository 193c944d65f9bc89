"""`provision handoff`: what only a person can do is listed, explained, completed once, or declined."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from handoff_project import BOOKS, CARD, complete, done_at_the_portal, only, waiting, with_handoffs
from program_runner import KEY, Cli

from provisioner.cli.operator import Operated
from provisioner.cli.session import Session
from provisioner.core.journal import Handoff
from provisioner.errors import Refused

WRONG = "canary-of-another-place"


def _handoff(cli: Cli, id: str) -> Handoff:
    with Session(cli.root).store() as store:
        found = store.handoff(id)
    assert found is not None
    return found


def test_unattended(cli: Cli) -> None:
    """FP8, FP9: apply waits for a person with 5, the operator completes, and the plan is empty again."""
    with_handoffs(cli, CARD + BOOKS)
    assert "Plan: 2 to create, 0 unchanged. 2 steps need a person." == cli("plan").last
    first = cli("apply", "--auto-approve")
    assert (5, "Apply: 2 waiting.") == (first.code, first.last)
    assert (0, "Operate: 2 done.") == ((ran := cli("sandbox", "operate")).code, ran.last)
    assert "No changes. 2 credentials are as declared in production and test." == cli("plan").last
    assert ["test/books", "test/card"] == [
        row["address"] for row in cli("status", "--json").json["credentials"] if row["state"] == "active"
    ]
    assert [] == waiting(cli)


def test_the_whole_life_by_handoffs(cli: Cli) -> None:
    """A credential is changed, renewed and revoked by handoffs as it was made by one."""
    with_handoffs(cli, BOOKS)
    for order, done in (
        (("apply", "--auto-approve"), "create"),
        (("apply", "--auto-approve"), "update"),
        (("renew", "test/books", "--auto-approve"), "renew"),
        (("revoke", "test/books", "--auto-approve"), "revoke"),
    ):
        if done == "update":
            cli.edit("general ledger", "the general ledger")
        assert 5 == cli(*order).code
        operated = cli("sandbox", "operate")
        assert (0, f"  done  test/books {done}") == (operated.code, operated.out.splitlines()[0])
    assert ["ended", "ended"] == cli.ledger("payspace", "test")


def test_the_rest_is_done(cli: Cli) -> None:
    """Without a terminal everything else is done, and what waits is listed with how to complete it."""
    with_handoffs(cli, CARD + KEY)
    ran = cli("apply", "--auto-approve")
    id = only(cli)
    assert (5, "Apply: 1 done, 1 waiting.") == (ran.code, ran.last)
    assert f"provision handoff show {id}, then provision handoff complete {id}" in ran.out
    again = cli("apply")
    assert (5, True) == (again.code, f"provision handoff complete {id}" in again.out)


def test_status_and_list(cli: Cli) -> None:
    """Status says what waits for whom, and the list what to do about it."""
    with_handoffs(cli)
    assert "Nothing waits for a person." == cli("handoff", "list").last
    cli("apply", "--auto-approve")
    id = only(cli)
    told = cli("status").out
    assert "a person in the vendor's portal" in told
    assert f"test/card: see provision handoff show {id}" in told
    (row,) = cli("status", "--json").json["credentials"]
    assert ("handoff", [id]) == (row["waits_for"], row["handoffs"])
    listed = cli("handoff", "list").out
    assert f"{id}  test/card  fpay capture  Console > AuthAccess  token, secret_key" in listed
    assert "1 step waits for a person" in listed


def test_completed_by_json(cli: Cli) -> None:
    """What a person brings back as JSON ends up in the sink, and the operation is done."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    brought = done_at_the_portal(cli, id)
    ran = complete(cli, id, brought, "--stdin")
    assert (0, "test/card create done") == (ran.code, ran.last)
    assert brought["secret_key"] in (cli.root / "secrets" / "test" / "card.env").read_text()
    assert "No changes." == cli("plan").last[:11]


def test_one_step_at_a_time(cli: Cli) -> None:
    """Completing one handoff never answers the next one of its operation: that waits for its own person."""
    with_handoffs(cli, BOOKS + "    rotate: {every: 90d, before: 7d, overlap: 0s}\n")
    cli("apply", "--auto-approve")
    cli("sandbox", "operate")
    cli("renew", "test/books", "--auto-approve")
    first = only(cli)
    ran = complete(cli, first, done_at_the_portal(cli, first))
    assert (5, "test/books renew waiting: revoke: ") == (ran.code, ran.out[:34])
    assert "ended" not in cli.ledger("payspace", "test")
    second = only(cli)
    assert 0 == complete(cli, second, done_at_the_portal(cli, second)).code
    assert 1 == cli.ledger("payspace", "test").count("ended")


def test_at_the_portal_of_who_issued_it(cli: Cli) -> None:
    """After a move to another vendor, the old credential is ended in the portal of the one that issued it."""
    at_once = "    rotate: {every: 90d, before: 7d, overlap: 0s}\n"
    with_handoffs(cli, CARD + at_once)
    cli("apply", "--auto-approve")
    cli("sandbox", "operate")
    cli.edit("provider: fpay", "provider: payspace")
    cli.edit("[ReadOnly]", "[read-only]")
    cli("apply", "--auto-approve")
    first = only(cli)
    ran = complete(cli, first, done_at_the_portal(cli, first))
    assert (5, True) == (ran.code, "revoke: Console > AuthAccess" in ran.out)
    (second,) = waiting(cli)
    assert ("fpay", ["Disable it."]) == (second["provider"], second["steps"][1:])
    assert "  done  test/card replace" in cli("sandbox", "operate").out
    assert ["disabled"] == cli.ledger("fpay", "test")


def test_a_step_with_nothing_to_bring(cli: Cli) -> None:
    """A step that brings nothing back takes an empty object, and counts once the vendor shows it done."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    cli("sandbox", "operate")
    cli("revoke", "test/card", "--auto-approve")
    id = only(cli)
    too_early = complete(cli, id, {})
    assert (3, True) == (too_early.code, "not accepted: fpay still shows" in too_early.err)
    done_at_the_portal(cli, id)
    assert (0, "test/card revoke done") == ((ran := complete(cli, id, {})).code, ran.last)
    assert ["disabled"] == cli.ledger("fpay", "test")


def test_a_wrong_secret(cli: Cli) -> None:
    """What the vendor does not accept is refused, nothing of it is kept, and the right one is taken then."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    right = done_at_the_portal(cli, id)
    ran = complete(cli, id, right | {"secret_key": WRONG})
    assert (3, True) == (ran.code, "not accepted" in ran.err)
    assert id == only(cli)
    assert [] == cli("show", "test/card", "--json").json["generations"]
    assert not (cli.root / "secrets").exists()
    assert not [path for path in _ours(cli.root) if WRONG.encode() in path.read_bytes()]
    assert WRONG not in ran.out + ran.err
    assert 0 == complete(cli, id, right).code


UNFIT = {
    "nothing": "",
    "not JSON": f"secret_key={WRONG}",
    "not UTF-8": WRONG.encode() + b"\xff",
    "a list": [WRONG],
    "a text": f'"{WRONG}"',
    "missing": {"token": WRONG},
    "empty": {"token": WRONG, "secret_key": "  "},
    "a switch": {"token": WRONG, "secret_key": True},
    "nested": {"token": WRONG, "secret_key": {"value": WRONG}},
    "unknown": {"token": "1", "secret_key": "2", WRONG: "3"},
    "twice": f'{{"token": "1", "token": "{WRONG}", "secret_key": "2"}}',
    "deep": "[" * 100_000,
    "endless": '{"token": "' + WRONG * 60_000 + '", "secret_key": "1"}',
}


@pytest.mark.parametrize("answer", UNFIT.values(), ids=UNFIT.keys())
def test_an_unfit_answer(cli: Cli, answer: object) -> None:
    """An answer that is not what was asked for is refused in words, none of them its own."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    ran = complete(cli, id, answer)
    assert 64 == ran.code
    assert 'give {"token": "...", "secret_key": "..."} on stdin' in ran.err
    assert WRONG not in ran.out + ran.err
    assert id == only(cli)


def test_twice(cli: Cli) -> None:
    """A handoff is completed once: the second time is refused, and says who did it."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    brought = done_at_the_portal(cli, id)
    assert 0 == complete(cli, id, brought).code
    ran = complete(cli, id, brought)
    assert (3, True) == (ran.code, f"{id} was completed before: done by " in ran.err)
    assert ["active"] == [one["state"] for one in cli("show", "test/card", "--json").json["generations"]]


def test_after_the_plan_changed(cli: Cli) -> None:
    """A handoff whose operation gave way to another plan is refused, and the new plan's is taken."""
    with_handoffs(cli, BOOKS)
    cli("apply", "--auto-approve")
    old = only(cli)
    cli.edit("general ledger", "the general ledger")
    cli("apply", "--auto-approve")
    new = only(cli)
    assert old != new
    ran = complete(cli, old, {"client_id": "1", "client_secret": "2"})
    assert (3, True) == (ran.code, f"{old} is not wanted any more: the plan changed" in ran.err)
    assert 0 == complete(cli, new, done_at_the_portal(cli, new)).code


def test_declined(cli: Cli) -> None:
    """What is declined stays declined with its reason, and the next plan asks anew."""
    with_handoffs(cli, BOOKS)
    cli("apply", "--auto-approve")
    id = only(cli)
    ran = cli("handoff", "decline", id, "--reason", "the ledger moves away")
    assert (0, "test/books create failed: declined: the ledger moves away") == (ran.code, ran.last)
    assert [] == waiting(cli)
    again = complete(cli, id, {"client_id": "1", "client_secret": "2"})
    assert (3, True) == (again.code, f"{id} was declined: the ledger moves away" in again.err)
    assert 3 == cli("handoff", "decline", id, "--reason", "once more").code
    assert "Plan: 1 to create, 0 unchanged. 1 step needs a person." == cli("plan").last


def test_a_declined_capture(cli: Cli) -> None:
    """Who declines to read a secret leaves a credential that nobody can use: a person is asked to end it."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    ran = cli("handoff", "decline", only(cli), "--reason", "not needed")
    assert (5, True) == (ran.code, "revoke: Console > AuthAccess" in ran.out)
    refused = cli("handoff", "decline", only(cli), "--reason", "not that either")
    assert (3, True) == (refused.code, "cannot be declined" in refused.err)
    assert "test/card create" in cli("sandbox", "operate").out
    assert ["disabled"] == cli.ledger("fpay", "test")
    assert [] == waiting(cli)


def test_no_reason_and_no_handoff(cli: Cli) -> None:
    """A decline takes a reason, and a handoff that does not exist is told with the nearest one."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    assert 64 == cli("handoff", "decline", id).code
    assert 64 == cli("handoff", "decline", id, "--reason", " ").code
    assert (1, True) == ((ran := cli("handoff", "show", f"{id}1")).code, f"did you mean {id}?" in ran.err)
    assert 1 == complete(cli, "nothing", {}).code


def test_while_another_run_works(cli: Cli) -> None:
    """Completing takes the environment's lease, and waits for nobody who has it."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    brought = done_at_the_portal(cli, id)
    with Session(cli.root).store(writing=True) as store:
        store.acquire(["test"], holder="another run")
        assert 4 == complete(cli, id, brought).code
    assert 0 == complete(cli, id, brought).code


def test_a_place_that_is_gone(cli: Cli) -> None:
    """A handoff of an environment that is no longer declared is refused in words."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    cli.write(CARD.replace("[test]", "[production]"))
    text = (cli.root / "provision.yaml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(("  test:", "  pay"))]
    fpay = "  fpay: {production: {endpoint: sandbox}}"
    (cli.root / "provision.yaml").write_text("\n".join(kept).replace("sinks:", f"{fpay}\nsinks:"))
    ran = complete(cli, id, {"token": "1", "secret_key": "2"})
    assert (1, True) == (ran.code, "provision.yaml does not declare test" in ran.err)


MARKDOWN = """\
### `test/card`: capture in the portal of FPay

Handoff `{id}`, open since {opened} UTC.

- [ ] Open `Console > AuthAccess`
- [ ] `Open the AuthAccess card with the token {remote_id}; its foreignId is {tag}.`
- [ ] `Copy its token, and reveal and copy its secretKey.`
- [ ] Give `token` and `secret_key` to `provision handoff complete {id}`, never to this ticket
"""
TEXT = """\
test/card: capture in the portal of FPay  (handoff {id})
  Open: Console > AuthAccess
  1. Open the AuthAccess card with the token {remote_id}; its foreignId is {tag}.
  2. Copy its token, and reveal and copy its secretKey.
  Bring back: token and secret_key
  Then: provision handoff complete {id}
"""


def test_show(cli: Cli) -> None:
    """A handoff is shown as text, as a Markdown checklist for a ticket, and as JSON."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    (one,) = waiting(cli)
    known = {**one, "opened": one["opened_at"][:16].replace("T", " ")}
    assert TEXT.format(**known) == cli("handoff", "show", one["id"]).out
    assert MARKDOWN.format(**known) == cli("handoff", "show", one["id"], "--format", "markdown").out
    assert one == cli("handoff", "show", one["id"], "--format", "json").json
    cli("sandbox", "operate")
    markdown = cli("handoff", "show", one["id"], "--format", "markdown").out
    assert ("- [ ]" not in markdown, "- [x] `done by sandbox operator`") == (True, markdown.splitlines()[-1])


def test_the_operator_is_for_twins(cli: Cli) -> None:
    """The operator leaves every vendor alone whose endpoint is not `sandbox`, and refuses when asked."""
    with_handoffs(cli, BOOKS)
    cli("apply", "--auto-approve")
    id = only(cli)
    cli.edit(
        "{endpoint: sandbox, via: portal}",
        '{endpoint: "https://payspace.invalid", via: portal}',
        "provision.yaml",
    )
    assert (0, "Operate: nothing to do.") == ((ran := cli("sandbox", "operate")).code, ran.last)
    session = Session(cli.root)
    with pytest.raises(Refused, match="payspace in test is no sandbox"):
        asyncio.run(Operated(session).perform(_handoff(cli, id)))
    session.close()
    assert id == only(cli)


def test_what_is_pasted_stays_in_the_sink(cli: Cli) -> None:
    """Secrets that a person pasted are in the sink, sealed in the state, and nowhere else."""
    with_handoffs(cli, CARD + BOOKS)
    said = [cli("apply", "--auto-approve", before=("--debug", "-v"))]
    canaries = set()
    for one in waiting(cli):
        brought = done_at_the_portal(cli, one["id"])
        canaries |= {value for name, value in brought.items() if name in {"client_secret", "secret_key"}}
        said.append(complete(cli, one["id"], brought))
        said.append(complete(cli, one["id"], brought))
    assert [5, 0, 3, 0, 3] == [ran.code for ran in said]
    said += [cli("show", "test/card"), cli("state", "show", "test/books"), cli("status", "--json")]
    delivered = "".join(path.read_text() for path in (cli.root / "secrets").rglob("*.env"))
    assert 2 == len([canary for canary in canaries if canary in delivered])
    for ran in said:
        assert not [canary for canary in canaries if canary in ran.out + ran.err]
    for path in _ours(cli.root):
        content = path.read_bytes()
        assert not [canary for canary in canaries if canary.encode() in content], path


def _ours(root: Path) -> list[Path]:
    """Everything on the disk but the consumers' files and what the vendor's twins remember."""
    found = [path for path in root.rglob("*") if path.is_file()]
    return [path for path in found if not {"sandbox", "secrets"} & set(path.relative_to(root).parts)]
