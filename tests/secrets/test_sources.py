from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import pytest

from provisioner.core.project import SecretSource
from provisioner.errors import SecretError
from provisioner.secrets import sources
from provisioner.secrets.sources import parse_source, resolve_auth

CANARY = "canary-c3d9"


def _token(source: SecretSource, root: Path) -> str:
    return resolve_auth({"token": source}, root, owner="provider payspace in test").reveal("token")


def _refused(source: SecretSource, root: Path) -> SecretError:
    with pytest.raises(SecretError) as caught:
        _token(source, root)
    assert CANARY not in "".join(traceback.format_exception(caught.value)) + caught.value.remedy
    assert caught.value.message.startswith("provider payspace in test, token: ")
    return caught.value


def _python(script: str) -> SecretSource:
    return SecretSource("exec", (sys.executable, "-c", script))


def test_each_source_is_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auth of several sources is one secret with a part for each."""
    monkeypatch.setenv("ROLE", "role-1")
    (tmp_path / "secret-id").write_text(f"{CANARY}\n")
    auth = {
        "role_id": SecretSource("env", "ROLE"),
        "secret_id": SecretSource("file", "secret-id"),
        "pin": _python("print('1234')"),
    }
    secret = resolve_auth(auth, tmp_path, owner="x")
    assert {"role_id": "role-1", "secret_id": CANARY, "pin": "1234"} == {
        part: secret.reveal(part) for part in secret
    }


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a", "a"),
        ("a\n", "a"),
        ("a\r\n", "a"),
        ("a\n\n", "a\n"),
        (" a ", " a "),
        ("a\r", "a\r"),
        ("a\nb\n", "a\nb"),
    ],
)
def test_one_newline_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: str, value: str
) -> None:
    """One newline at the end, which editors and `echo` add, is dropped; everything else is the secret's."""
    (tmp_path / "token").write_bytes(raw.encode())
    monkeypatch.setenv("TOKEN", raw)
    assert value == _token(SecretSource("file", "token"), tmp_path)
    assert value == _token(SecretSource("env", "TOKEN"), tmp_path)
    assert value == _token(_python(f"import sys; sys.stdout.buffer.write({raw.encode()!r})"), tmp_path)


def test_variable_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing and an empty variable are named."""
    monkeypatch.delenv("TOKEN", raising=False)
    assert (
        "the environment variable TOKEN is not set"
        in _refused(SecretSource("env", "TOKEN"), tmp_path).message
    )
    monkeypatch.setenv("TOKEN", "")
    assert (
        "the environment variable TOKEN is empty" in _refused(SecretSource("env", "TOKEN"), tmp_path).message
    )


def test_file_that_gives_nothing(tmp_path: Path) -> None:
    """A file that is missing, empty, a folder, a fifo or no text is named; nobody waits for the fifo."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(CANARY.encode() + b"\xff")
    (tmp_path / "huge").write_bytes(b"x" * ((1 << 20) + 1))
    for name, trouble in {
        "missing": "cannot be read: No such file",
        "empty": "file empty is empty",
        "folder": "no plain file",
        "fifo": "no plain file",
        "binary": "file binary is not UTF-8 text",
        "huge": "huge is larger than",
    }.items():
        assert trouble in _refused(SecretSource("file", name), tmp_path).message


def test_file_behind_a_link_or_absolute(tmp_path: Path) -> None:
    """A file may be absolute, and behind a link as mounted secrets are."""
    (tmp_path / "real").write_text(CANARY)
    (tmp_path / "link").symlink_to("real")
    assert CANARY == _token(SecretSource("file", "link"), tmp_path)
    assert CANARY == _token(SecretSource("file", str(tmp_path / "real")), Path("/"))


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        (
            f"import sys; print('{CANARY}'); print('{CANARY}', file=sys.stderr); sys.exit(4)",
            "ended with exit code 4",
        ),
        ("", "is empty"),
        (r"import sys; sys.stdout.buffer.write(b'\xff')", "is not UTF-8 text"),
    ],
)
def test_command_that_gives_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], script: str, trouble: str
) -> None:
    """A command that fails is named with how it ended, and its output is shown nowhere."""
    error = _refused(_python(script), tmp_path)
    assert trouble in error.message
    assert f"`{sys.executable}`" in error.message
    assert ("", "") == capfd.readouterr()


def test_command_that_cannot_be_run(tmp_path: Path) -> None:
    """A command that is not there is named."""
    assert (
        "`./none` cannot be run: No such file"
        in _refused(SecretSource("exec", ("./none",)), tmp_path).message
    )


def test_command_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that gives no answer is ended."""
    monkeypatch.setattr(sources, "COMMAND_TIMEOUT", 0.2)
    assert "gave no answer within" in _refused(_python("import time; time.sleep(600)"), tmp_path).message


def test_command_runs_in_the_project(tmp_path: Path) -> None:
    """A command runs in the project's folder, without our standard input."""
    script = "import os, sys; print(os.getcwd(), repr(sys.stdin.read()))"
    assert f"{tmp_path.resolve()} ''" == _token(_python(script), tmp_path)


def test_unknown_way(tmp_path: Path) -> None:
    """A way to get secrets that provision does not know is named."""
    assert "no way `vault`" in _refused(SecretSource("vault", "x"), tmp_path).message


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ({"env": "TOKEN"}, SecretSource("env", "TOKEN")),
        ({"file": "token"}, SecretSource("file", "token")),
        ({"exec": ["op", "read"]}, SecretSource("exec", ("op", "read"))),
    ],
)
def test_parse_source(value: object, source: SecretSource) -> None:
    """The three ways are read."""
    assert source == parse_source(value)


@pytest.mark.parametrize(
    "value", [CANARY, None, {}, {"env": 1}, {"exec": []}, {"env": "A", "file": "b"}, {"x": CANARY}]
)
def test_parse_source_refuses(value: object) -> None:
    """Anything else is refused with the three ways; a secret written there by mistake is not repeated."""
    with pytest.raises(ValueError, match="write where to get it") as caught:
        parse_source(value)
    assert CANARY not in str(caught.value)
