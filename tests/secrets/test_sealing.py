from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.core.model import Address
from provisioner.core.secret import Secret
from provisioner.errors import IdentityMissing, SecretError
from provisioner.secrets.identities import generate_identity, load_identities
from provisioner.secrets.sealing import AgeSealer, check_recipient

CANARY = "canary-51d0"
ADDRESS = Address("production", "payroll")

# A key made for this test alone; it opens nothing else.
SSH_RECIPIENT = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOhJyMbkLlHJTVUU6NMlgOF/eGmfeG2G1S86xWx3xlkR test"
SSH_IDENTITY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDoScjG5C5RyU1VFOjTJYDhf3hpn3hthtUvOsVsd8ZZEQAAAJBwDqVZcA6l
WQAAAAtzc2gtZWQyNTUxOQAAACDoScjG5C5RyU1VFOjTJYDhf3hpn3hthtUvOsVsd8ZZEQ
AAAEDk6e42mfCUj9fHkJWYSx7BG7e1ITUk4OeltQyztJfZgehJyMbkLlHJTVUU6NMlgOF/
eGmfeG2G1S86xWx3xlkRAAAAB3Jvb3RAdm0BAgMEBQY=
-----END OPENSSH PRIVATE KEY-----
"""
SSH_ENCRYPTED = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBrhiS9KI
PaKy3sX/DLIf61AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIMvAwNu1n9UhruyC
TZwUtsQ2jLqnDqQue9FZjMRvba4/AAAAkCXFhWKv0DBgvP6C39dds6LWTMlXxE/v+fEldl
houdZShAvtyaHHL3GZn/bgoA+pzRA/6KL22Y7eAB9S0C3N6I3W5h4nXG+vpdTnVTTdW0tP
qMPNla0Dz5e4JwrgQsVSRK9Ir4q3GL5LRYG0iuYyDV3YuzbmwHRK/YgSli/TtRSjBwJ+oK
GSpIGx2IBKjVB3WA==
-----END OPENSSH PRIVATE KEY-----
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A recipient and the file of its identity."""
    path = tmp_path_factory.mktemp("key") / "identity"
    return generate_identity(path), path


def _sealer(recipient: str, *identities: Path) -> AgeSealer:
    return AgeSealer({"production": (recipient,), "test": (recipient,)}, identities)


def _parts(secret: Secret) -> dict[str, str]:
    return {part: secret.reveal(part) for part in secret}


def test_round_trip(key: tuple[str, Path]) -> None:
    """What is sealed for a row is opened for that row."""
    sealer = _sealer(*key)
    sealed = sealer.seal(Secret({"client_id": "id", "client_secret": CANARY}), ADDRESS, 3)
    assert {"client_id": "id", "client_secret": CANARY} == _parts(sealer.unseal(sealed, ADDRESS, 3))


@given(
    parts=st.dictionaries(st.text(), st.text(st.characters()), max_size=4), generation=st.integers(1, 2**40)
)
def test_any_text_survives(key: tuple[str, Path], parts: dict[str, str], generation: int) -> None:
    """Whatever text a vendor makes its secrets of comes back as it was."""
    sealer = _sealer(*key)
    sealed = sealer.seal(Secret(parts), ADDRESS, generation)
    assert parts == _parts(sealer.unseal(sealed, ADDRESS, generation))


def test_sealed_text_is_armored_and_shows_nothing(key: tuple[str, Path]) -> None:
    """The sealed text is ASCII armor, without the secret and without whose it is."""
    sealed = _sealer(*key).seal(Secret({"client_secret": CANARY}), ADDRESS, 3)
    assert sealed.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert sealed.isascii()
    assert CANARY not in sealed
    assert "payroll" not in sealed


def test_fresh_process_opens_it(key: tuple[str, Path], tmp_path: Path) -> None:
    """The text is plain age: another process opens it with the identity file alone."""
    (tmp_path / "sealed").write_text(_sealer(key[0]).seal(Secret({"client_secret": CANARY}), ADDRESS, 3))
    script = (
        "import sys, pyrage; lines = open(sys.argv[1]).read().split();"
        "identity = pyrage.x25519.Identity.from_str(lines[-1]);"
        "print(pyrage.decrypt(open(sys.argv[2], 'rb').read(), [identity]).decode())"
    )
    words = [sys.executable, "-c", script, str(key[1]), str(tmp_path / "sealed")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    expected = {
        "address": "production/payroll",
        "format": 1,
        "generation": 3,
        "parts": {"client_secret": CANARY},
    }
    assert expected == json.loads(done.stdout)


@pytest.mark.parametrize("row", [("production/crm", 3), ("test/payroll", 3), ("production/payroll", 2)])
def test_another_row_is_refused(key: tuple[str, Path], row: tuple[str, int]) -> None:
    """A sealed secret that stands in another row is not opened there, and both rows are named."""
    sealer = _sealer(*key)
    sealed = sealer.seal(Secret({"client_secret": CANARY}), ADDRESS, 3)
    with pytest.raises(SecretError, match="belongs to production/payroll generation 3") as caught:
        sealer.unseal(sealed, Address.parse(row[0]), row[1])
    assert f"stored for {row[0]} generation {row[1]}" in caught.value.message
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        CANARY.encode(),
        b"[]",
        b'{"format": 2}',
        b'{"format": 1, "address": 1, "generation": 1, "parts": {}}',
    ],
)
def test_foreign_payload_is_refused(key: tuple[str, Path], payload: bytes) -> None:
    """What somebody else sealed to our recipient is refused, without a word of it."""
    sealed = pyrage.encrypt(payload, [check_recipient(key[0])], armored=True).decode()
    with pytest.raises(SecretError, match="was not sealed by provision") as caught:
        _sealer(*key).unseal(sealed, ADDRESS, 3)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("damage", ["", "hello", "é", "cut", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n"])
def test_damaged_text_is_named(key: tuple[str, Path], damage: str) -> None:
    """A text that is no age text is called damaged, with its row; no identity is blamed for it."""
    sealer = _sealer(*key)
    sealed = sealer.seal(Secret({"client_secret": CANARY}), ADDRESS, 3)
    text = sealed[:100] if damage == "cut" else damage
    with pytest.raises(SecretError, match="production/payroll generation 3 is damaged") as caught:
        sealer.unseal(text, ADDRESS, 3)
    assert not isinstance(caught.value, IdentityMissing)


def test_changed_bit_is_noticed(key: tuple[str, Path]) -> None:
    """A sealed text that was changed does not open."""
    sealer = _sealer(*key)
    lines = sealer.seal(Secret({"client_secret": CANARY}), ADDRESS, 3).split("\n")
    lines[-4] = lines[-4].swapcase()
    with pytest.raises(IdentityMissing, match="or it is damaged"):
        sealer.unseal("\n".join(lines), ADDRESS, 3)


def test_no_identity(key: tuple[str, Path]) -> None:
    """Without an identity nothing opens, and the remedy says how to give one."""
    sealer = _sealer(key[0])
    sealed = sealer.seal(Secret({}), ADDRESS, 1)
    with pytest.raises(IdentityMissing, match="no identity was given") as caught:
        sealer.unseal(sealed, ADDRESS, 1)
    assert "--identity FILE" in caught.value.remedy
    assert "PROVISION_IDENTITY" in caught.value.remedy


def test_wrong_identity(key: tuple[str, Path], tmp_path: Path) -> None:
    """An identity of somebody else opens nothing, and its file is named."""
    other = tmp_path / "other"
    generate_identity(other)
    sealed = _sealer(key[0]).seal(Secret({}), ADDRESS, 1)
    with pytest.raises(
        IdentityMissing, match=r"no identity in .*other opens the secret of production/payroll"
    ):
        _sealer(key[0], other).unseal(sealed, ADDRESS, 1)


def test_every_recipient_opens(key: tuple[str, Path], tmp_path: Path) -> None:
    """Each recipient of an environment opens its secrets alone, one with several identity files too."""
    second = tmp_path / "second"
    recipients = (key[0], generate_identity(second))
    sealed = AgeSealer({"production": recipients}).seal(Secret({"a": "b"}), ADDRESS, 1)
    for files in ([key[1]], [second], [key[1], second]):
        assert {"a": "b"} == _parts(AgeSealer({}, files).unseal(sealed, ADDRESS, 1))


def test_ssh_keys_are_recipients(tmp_path: Path) -> None:
    """An SSH public key is a recipient, and its private key an identity."""
    path = tmp_path / "id_ed25519"
    path.write_text(SSH_IDENTITY)
    path.chmod(0o600)
    sealer = _sealer(SSH_RECIPIENT, path)
    sealed = sealer.seal(Secret({"a": "b"}), ADDRESS, 1)
    assert {"a": "b"} == _parts(sealer.unseal(sealed, ADDRESS, 1))


def test_unknown_environment(key: tuple[str, Path]) -> None:
    """An environment without recipients seals nothing, and the error names it."""
    with pytest.raises(SecretError, match="staging/payroll cannot be sealed: environment staging"):
        _sealer(key[0]).seal(Secret({}), Address("staging", "payroll"), 1)


def test_environment_without_recipients_is_found_at_once() -> None:
    """An empty list of recipients is found before any secret exists."""
    with pytest.raises(SecretError, match="environment test has no recipients"):
        AgeSealer({"test": ()})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("age1nonsense", "`age1nonsense…` is not a recipient"),
        ("ssh-ecdsa AAAA", "`ssh-ecdsa AAAA…` is not a recipient"),
        ("", "one of them is not a recipient"),
        ("AGE-SECRET-KEY-1CANARY", "one of them is not a recipient"),
    ],
)
def test_bad_recipient_is_found_at_once(text: str, shown: str) -> None:
    """A bad recipient is found when the sealer is made; an identity pasted by mistake is not repeated."""
    with pytest.raises(SecretError, match=shown) as caught:
        AgeSealer({"test": (text,)})
    assert caught.value.message.startswith("environment test: recipient")
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_generated_identity(tmp_path: Path) -> None:
    """A new identity file is private, names its recipient and opens what is sealed to it."""
    path = tmp_path / "new" / "identity"
    recipient = generate_identity(path)
    assert 0o600 == path.stat().st_mode & 0o777
    assert 0o700 == path.parent.stat().st_mode & 0o777
    assert f"# public key: {recipient}" == path.read_text().splitlines()[0]
    assert 1 == len(load_identities([path]))


@pytest.mark.parametrize("what", ["file", "dangling link"])
def test_identity_is_never_replaced(tmp_path: Path, what: str) -> None:
    """An identity that is there is kept: it may be the only key. Nor is a link followed."""
    path = tmp_path / "identity"
    path.write_text("mine") if what == "file" else path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SecretError, match="already exists and is kept"):
        generate_identity(path)
    assert not (tmp_path / "elsewhere").exists()
    assert what != "file" or path.read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        ("", "holds no identity"),
        ("# only a comment\n", "holds no identity"),
        ("# fine\nAGE-SECRET-KEY-1CANARY\n", ":2 is not an age identity"),
        ("\ufffd\x00CANARY", ":1 is not an age identity"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nCANARY", "is itself encrypted with a passphrase"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nCANARY", "cannot be used"),
        (SSH_ENCRYPTED, "cannot be used: it is encrypted"),
    ],
)
def test_bad_identity_file(tmp_path: Path, content: str, trouble: str) -> None:
    """A file that is no identity is named with its line, and nothing of it is repeated."""
    path = tmp_path / "identity"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SecretError, match=trouble) as caught:
        load_identities([path])
    assert str(path) in caught.value.message
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_identity_that_others_can_read(tmp_path: Path, mode: int) -> None:
    """As with ssh, an identity of ours that others may read is refused, with the command that mends it."""
    path = tmp_path / "identity"
    generate_identity(path)
    path.chmod(mode)
    with pytest.raises(SecretError, match="can be read by others") as caught:
        load_identities([path])
    assert f"run `chmod 600 {path}`" == caught.value.remedy


def test_identity_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing identity file, a folder and a fifo are each named; the fifo makes nobody wait."""
    os.mkfifo(tmp_path / "fifo")
    for path, trouble in {
        tmp_path / "missing": "No such file",
        tmp_path: "no plain file",
        tmp_path / "fifo": "no plain file",
    }.items():
        with pytest.raises(SecretError, match=trouble):
            load_identities([path])


def test_identity_behind_a_link(tmp_path: Path) -> None:
    """An identity may lie behind a symbolic link, as mounted secrets do."""
    generate_identity(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    assert 1 == len(load_identities([tmp_path / "link"]))
