from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisioner.core.journal import Stranded
from provisioner.core.model import Address
from provisioner.errors import SecretError
from provisioner.secrets.emergency import remove, save, stranded

NOW = datetime(2026, 11, 2, 14, 2, 3, 456789, tzinfo=UTC)


def _stranded(operation: str = "op-1", minutes: int = 0) -> Stranded:
    return Stranded(
        operation=operation,
        address=Address("production", "payroll"),
        generation=3,
        remote_id="cred-9",
        sealed="-----BEGIN AGE ENCRYPTED FILE-----\n…",
        created_at=NOW + timedelta(minutes=minutes),
        expires_at=NOW + timedelta(days=90) if minutes else None,
        issued_at=NOW if minutes else None,
    )


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    """Every stranded secret comes back as it was, oldest first."""
    late = save(tmp_path, _stranded("op-2", minutes=5))
    early = save(tmp_path, _stranded("op-3"))
    assert [(early, _stranded("op-3")), (late, _stranded("op-2", minutes=5))] == list(
        stranded(tmp_path).items()
    )


def test_file_is_private_json(tmp_path: Path) -> None:
    """The file is 0600 in a folder of 0700, and is JSON that a person can act on."""
    path = save(tmp_path, _stranded())
    assert tmp_path / ".provision" / "emergency" == path.parent
    assert 0o600 == path.stat().st_mode & 0o777
    assert 0o700 == path.parent.stat().st_mode & 0o777
    expected = {
        "format": 1,
        "operation": "op-1",
        "address": "production/payroll",
        "generation": 3,
        "remote_id": "cred-9",
        "sealed": "-----BEGIN AGE ENCRYPTED FILE-----\n…",
        "created_at": "2026-11-02T14:02:03.456789+00:00",
        "expires_at": None,
        "issued_at": None,
    }
    assert expected == json.loads(path.read_text())


def test_nothing_is_replaced(tmp_path: Path) -> None:
    """Two secrets of one operation are both kept."""
    assert save(tmp_path, _stranded()) != save(tmp_path, _stranded())
    assert 2 == len(stranded(tmp_path))


def test_strange_operation_stays_in_the_folder(tmp_path: Path) -> None:
    """Whatever the operation's id, the file lies in the folder and the id survives."""
    path = save(tmp_path, _stranded("../../" + "é/" * 200))
    assert tmp_path / ".provision" / "emergency" == path.parent
    assert ["../../" + "é/" * 200] == [found.operation for found in stranded(tmp_path).values()]


def test_nothing_waits(tmp_path: Path) -> None:
    """A project without stranded secrets has none, and looking makes no folder."""
    assert {} == stranded(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_removed_is_gone(tmp_path: Path) -> None:
    """A file that was taken in is removed; removing it again is fine."""
    path = save(tmp_path, _stranded())
    remove(tmp_path, path)
    remove(tmp_path, path)
    assert {} == stranded(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"format": 1}', '{"format": 2}', "\x00", "\ud800"]
)
def test_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    """A damaged file is an error that names it: skipping it could lose a secret."""
    path = save(tmp_path, _stranded())
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(SecretError, match=f"{path} cannot be taken in: it is damaged"):
        stranded(tmp_path)


@pytest.mark.parametrize(
    "key", ["format", "operation", "address", "generation", "remote_id", "sealed", "created_at"]
)
def test_wrong_field_is_damage(tmp_path: Path, key: str) -> None:
    """A field of another kind is damage too."""
    path = save(tmp_path, _stranded())
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: None}))
    with pytest.raises(SecretError, match="it is damaged"):
        stranded(tmp_path)


def test_half_written_file_is_not_taken_in(tmp_path: Path) -> None:
    """What a killed run had only half written is no stranded secret."""
    path = save(tmp_path, _stranded())
    path.rename(path.parent / f".{path.name}.provision")
    assert {} == stranded(tmp_path)


def test_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link is neither written through nor read through."""
    path = save(tmp_path, _stranded())
    (path.parent / "z.json").symlink_to(path)
    with pytest.raises(SecretError, match="is a symbolic link"):
        stranded(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".provision").symlink_to(tmp_path / ".provision")
    with pytest.raises(SecretError, match="is a symbolic link"):
        save(tmp_path / "other", _stranded())


def test_even_that_fails(tmp_path: Path) -> None:
    """Where even the file cannot be written, the error names the credential that exists at its vendor."""
    (tmp_path / ".provision").write_text("in the way")
    with pytest.raises(SecretError, match="could take the new secret of production/payroll") as caught:
        save(tmp_path, _stranded())
    assert "cred-9 exists at its vendor" in caught.value.remedy
