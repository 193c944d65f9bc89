"""Handoffs at a real terminal: a pseudo-terminal shows what a person would see, echo and all."""

from __future__ import annotations

import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from handoff_project import BOOKS, CARD, Typist, done_at_the_portal, only, waiting, with_handoffs
from program_runner import Cli

Terminal = Callable[..., Typist]

OTHER = CARD.replace("  card:", "  other:")


@pytest.fixture
def terminal(cli: Cli) -> Iterator[Terminal]:
    """Starts commands at terminals of their own; none outlives its test."""
    with ExitStack() as stack:
        yield lambda *args: stack.enter_context(Typist.at(cli, *args))


def _bring(person: Typist, cli: Cli, id: str, **instead: str) -> dict[str, str]:
    """Paste what the portal shows, part by part."""
    brought = done_at_the_portal(cli, id) | instead
    for name, value in brought.items():
        assert "(handoff " not in person.see(f"  {name}")  # nobody else asks in between
        person.see(": ")
        person.type(value)
    return brought


def test_apply_walks_a_person_through(cli: Cli, terminal: Terminal) -> None:
    """Apply says what to do, takes what is pasted without showing secrets, and is done."""
    with_handoffs(cli, BOOKS)
    person = terminal("apply", "--auto-approve")
    person.see("Open: Configuration > Basic Settings")
    person.see("leaves it for later")
    brought = _bring(person, cli, only(cli))
    assert 0 == person.end()
    assert "Apply: 1 done." in person.screen
    assert (True, False) == tuple(brought[name] in person.screen for name in ("client_id", "client_secret"))
    assert brought["client_secret"] in (cli.root / "secrets" / "test" / "books.env").read_text()
    assert not _found(cli.root, brought["client_secret"])


def test_a_wrong_paste_is_asked_again(cli: Cli, terminal: Terminal) -> None:
    """What the vendor rejects is said so, nothing of it is kept, and the person is asked once more."""
    with_handoffs(cli)
    person = terminal("apply", "--auto-approve")
    person.see("leaves it for later")
    _bring(person, cli, only(cli), secret_key="canary-of-another-place")
    person.see("not accepted")
    person.see("Nothing of it was kept")
    right = _bring(person, cli, only(cli))
    assert 0 == person.end()
    for secret in ("canary-of-another-place", right["secret_key"]):
        assert secret not in person.screen
        assert not _found(cli.root, secret)


def test_one_at_a_time(cli: Cli, terminal: Terminal) -> None:
    """Two credentials that wait at once are asked for one after the other, never in each other's words."""
    with_handoffs(cli, CARD + OTHER)
    person = terminal("apply", "--auto-approve")
    asked = []
    for _ in range(2):
        person.see("(handoff ")
        asked.append(person.see(")"))
        assert "(handoff " not in person.see("leaves it for later.")
        _bring(person, cli, asked[-1])
    assert 0 == person.end()
    assert 2 == len(set(asked))
    assert "Apply: 2 done." in person.screen


def test_later(cli: Cli, terminal: Terminal) -> None:
    """An empty answer, or `later`, leaves it for later: apply does the rest and ends with 5."""
    with_handoffs(cli, CARD + OTHER)
    person = terminal("apply", "--auto-approve")
    for answer in ("", "later"):
        person.see("leaves it for later.")
        person.see(": ")
        person.type(answer)
    assert 5 == person.end()
    assert 2 == len(waiting(cli))


def test_done(cli: Cli, terminal: Terminal) -> None:
    """A step that brings nothing back is confirmed by `done` alone."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    cli("sandbox", "operate")
    cli("revoke", "test/card", "--auto-approve")
    person = terminal("handoff", "complete", only(cli))
    person.see("`done` or `later`: ")
    person.type("yes")
    assert "not accepted" not in person.see("`done` or `later`: ")
    done_at_the_portal(cli, only(cli))
    person.type("done")
    assert 0 == person.end()
    assert "test/card revoke done" in person.screen


def test_complete_asks_too(cli: Cli, terminal: Terminal) -> None:
    """`handoff complete` asks at a terminal what apply would have asked; `--stdin` there is refused."""
    with_handoffs(cli)
    cli("apply", "--auto-approve")
    id = only(cli)
    refused = terminal("handoff", "complete", id, "--stdin")
    assert 64 == refused.end()
    person = terminal("handoff", "complete", id)
    person.see("leaves it for later.")
    brought = _bring(person, cli, id)
    assert 0 == person.end()
    assert brought["secret_key"] not in person.screen


def test_ctrl_c_while_asked(cli: Cli, terminal: Terminal) -> None:
    """Ctrl-C leaves the handoff for later, and the terminal shows again what is typed."""
    with_handoffs(cli, BOOKS)
    person = terminal("apply", "--auto-approve")
    person.see("client_id: ")
    person.type("1")
    person.see("client_secret (not shown): ")
    assert not termios.tcgetattr(person.keyboard)[3] & termios.ECHO
    person.process.send_signal(signal.SIGINT)
    person.see("Stopping")
    person.see("Apply: 1 waiting.")
    assert termios.tcgetattr(person.keyboard)[3] & termios.ECHO
    assert 5 == person.end()
    assert 1 == len(waiting(cli))


def _found(root: Path, secret: str) -> list[Path]:
    """Where a secret lies in clear, besides the consumers' files and what the twins remember."""
    paths = [path for path in root.rglob("*") if path.is_file()]
    ours = [path for path in paths if not {"sandbox", "secrets"} & set(path.relative_to(root).parts)]
    return [path for path in ours if secret.encode() in path.read_bytes()]
