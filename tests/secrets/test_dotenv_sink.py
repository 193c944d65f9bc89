from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values

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


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def one(parcel: MakeParcel) -> Parcel:
    """One value under the name KEY."""
    return parcel({"KEY": CANARY})


def test_new_file_is_private(tmp_path: Path, one: Parcel) -> None:
    """A new file is 0600 and new folders are 0700, whatever the umask; the template names the parcel."""
    before = os.umask(0)
    try:
        _deliver(tmp_path, one, "secrets/{environment}/{provider}/{name}.env")
    finally:
        os.umask(before)
    path = tmp_path / "secrets" / "test" / "payspace" / "payroll.env"
    assert f"KEY={CANARY}\n" == path.read_text()
    assert 0o600 == _mode(path)
    assert [0o700] * 3 == [_mode(folder) for folder in list(path.parents)[:3]]


def test_nothing_but_the_file_is_left(tmp_path: Path, one: Parcel) -> None:
    """A delivery leaves no lock and no temporary file, and removes one that a killed run left behind."""
    (tmp_path / ".app.env.provision").write_text("KEY=half")
    _deliver(tmp_path, one)
    assert ["app.env"] == [path.name for path in tmp_path.iterdir()]


def test_redelivery_writes_nothing(tmp_path: Path, one: Parcel) -> None:
    """Delivering the same again does not touch the file."""
    _deliver(tmp_path, one)
    before = (tmp_path / "app.env").stat()
    _deliver(tmp_path, one)
    after = (tmp_path / "app.env").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_rest_of_the_file_is_kept(tmp_path: Path, one: Parcel) -> None:
    """Other lines stay byte for byte, those that are no UTF-8 too."""
    (tmp_path / "app.env").write_bytes(b"# \xff\xfe caf\xe9\r\nexport KEY=old\nOTHER='1'")
    _deliver(tmp_path, one)
    expected = b"# \xff\xfe caf\xe9\r\nexport KEY=" + CANARY.encode() + b"\nOTHER='1'"
    assert expected == (tmp_path / "app.env").read_bytes()


@pytest.mark.parametrize("content", ["KEY=old\n", f"KEY={CANARY}\n"])
def test_open_file_is_tightened(tmp_path: Path, one: Parcel, content: str) -> None:
    """A file that others could read becomes 0600, also when its text is right already."""
    path = tmp_path / "app.env"
    path.write_text(content)
    path.chmod(0o664)
    _deliver(tmp_path, one)
    assert 0o600 == _mode(path)
    assert f"KEY={CANARY}\n" == path.read_text()


def test_owner_is_kept(tmp_path: Path, one: Parcel) -> None:
    """A file of the user that reads it stays that user's."""
    path = tmp_path / "app.env"
    path.write_text("KEY=old\n")
    owner = 12345 if os.geteuid() == 0 else os.geteuid()
    os.chown(path, owner, -1)
    _deliver(tmp_path, one)
    assert owner == path.stat().st_uid
    assert f"KEY={CANARY}\n" == path.read_text()


def test_concurrent_deliveries_lose_nothing(tmp_path: Path, parcel: MakeParcel) -> None:
    """Many credentials delivered into one file at once are all in it."""

    async def all_at_once() -> None:
        sinks = [_sink(tmp_path) for _ in range(4)]
        await asyncio.gather(*(sinks[n % 4].deliver(parcel({f"KEY_{n}": str(n)})) for n in range(60)))

    asyncio.run(all_at_once())
    assert {f"KEY_{n}": str(n) for n in range(60)} == dotenv_values(tmp_path / "app.env")


def test_concurrent_processes_lose_nothing(tmp_path: Path) -> None:
    """Two runs that deliver into one file at once lose nothing of each other."""
    script = """
import asyncio, sys
from pathlib import Path
from provisioner.core.delivery import Parcel
from provisioner.core.model import Address
from provisioner.core.project import SinkConfig
from provisioner.core.secret import Secret
from provisioner.secrets.dotenv import DotenvSink
sink = DotenvSink(SinkConfig("app-env", "dotenv", {"path": "app.env"}), Path(sys.argv[1]))
for n in range(40):
    names = {f"KEY_{sys.argv[2]}_{n}": "a"}
    parcel = Parcel(Address("test", "x"), "p", 1, "op", names, Secret({"a": str(n)}))
    asyncio.run(sink.deliver(parcel))
"""
    runs = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(run)]) for run in range(3)]
    assert [0, 0, 0] == [run.wait() for run in runs]
    expected = {f"KEY_{run}_{n}": str(n) for run in range(3) for n in range(40)}
    assert expected == dotenv_values(tmp_path / "app.env")


def test_failed_write_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """Where the new text cannot be written whole, the old file stays and no half of a secret lies about."""
    (tmp_path / "app.env").write_text("KEY=old\n")
    script = """
import asyncio, resource, sys
from pathlib import Path
from provisioner.core.delivery import Parcel
from provisioner.core.model import Address
from provisioner.core.project import SinkConfig
from provisioner.core.secret import Secret
from provisioner.errors import SinkError
from provisioner.secrets.dotenv import DotenvSink
sink = DotenvSink(SinkConfig("app-env", "dotenv", {"path": "app.env"}), Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
parcel = Parcel(Address("test", "x"), "p", 1, "op", {"KEY": "a"}, Secret({"a": "x" * 9000}))
try:
    asyncio.run(sink.deliver(parcel))
except SinkError as error:
    sys.exit(error.message)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert f"sink app-env cannot write {tmp_path.resolve()}/app.env: File too large\n" == done.stderr
    assert ["app.env"] == [path.name for path in tmp_path.iterdir()]
    assert "KEY=old\n" == (tmp_path / "app.env").read_text()


def test_links_are_refused(tmp_path: Path, one: Parcel) -> None:
    """A symbolic link is never followed: neither as the file, dangling or not, nor as a folder on the way."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "target").write_text("KEY=theirs\n")
    (root / "file").symlink_to(outside / "target")
    (root / "dangling").symlink_to(outside / "missing")
    (root / "folder").symlink_to(outside)
    (root / "inside").mkdir()
    (root / "inside" / "deep").symlink_to(outside)
    for path, link in {
        "file": "file",
        "dangling": "dangling",
        "folder/x": "folder",
        "inside/deep/x": "deep",
    }.items():
        assert f"{link} is a symbolic link" in _refused(root, one, path).message
    assert ["target"] == [path.name for path in outside.iterdir()]
    assert "KEY=theirs\n" == (outside / "target").read_text()


def test_project_behind_a_link(tmp_path: Path, one: Parcel) -> None:
    """The project's own folder may be reached through a symbolic link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    _deliver(tmp_path / "link", one)
    assert f"KEY={CANARY}\n" == (tmp_path / "real" / "app.env").read_text()


def test_whatever_is_in_the_way_is_refused(tmp_path: Path, one: Parcel) -> None:
    """A folder, a fifo, a socket, a binary or huge file in the way is named and left alone; nobody waits."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "binary").write_bytes(b"SQLite\0")
    (tmp_path / "huge").write_bytes(b"#" * (1 << 20) + b"\n")
    (tmp_path / "plain").write_text("")
    for path, trouble in {
        "folder": "folder is in the way and is no plain file",
        "fifo": "fifo is in the way and is no plain file",
        "binary": "is no text file",
        "huge": "huge is larger than",
        "plain/app.env": "plain is in the way and is no folder",
    }.items():
        assert trouble in _refused(tmp_path, one, path).message


def test_socket_in_the_way(tmp_path: Path, one: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket in the way is refused like anything that is no plain file."""
    monkeypatch.chdir(tmp_path)  # the address of a socket may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("app.env")
        assert "cannot write" in _refused(tmp_path, one).message


def test_folder_that_may_not_be_written(tmp_path: Path, one: Parcel) -> None:
    """Where the system lets nobody write, not even root, the error says what could not be written."""
    assert "sink app-env cannot write /proc/1/app.env" in _refused(tmp_path, one, "/proc/1/app.env").message


def test_absolute_path(tmp_path: Path, one: Parcel) -> None:
    """An absolute path may lead out of the project."""
    (tmp_path / "root").mkdir()
    elsewhere = tmp_path.resolve() / "elsewhere" / "{name}.env"
    _deliver(tmp_path / "root", one, str(elsewhere))
    assert f"KEY={CANARY}\n" == (tmp_path / "elsewhere" / "payroll.env").read_text()


@pytest.mark.parametrize(
    "path", ["../app.env", "a/../../app.env", "./app.env", "a//b", "a/", "/", "a/../b", "//app.env", "a\0b"]
)
def test_path_that_does_not_lead_down(tmp_path: Path, one: Parcel, path: str) -> None:
    """A path with steps up, or without a file at its end, is refused."""
    assert "must lead down" in _refused(tmp_path, one, path).message


@pytest.mark.parametrize("address", ["../payroll", "test/..", "./x", "test/a\0b"])
def test_name_that_is_no_step_of_a_path(tmp_path: Path, parcel: MakeParcel, address: str) -> None:
    """A name that would lead elsewhere cannot be part of a path."""
    strange = parcel({"KEY": CANARY}, address=address)
    assert "cannot be part of a path" in _refused(tmp_path, strange, "{environment}/{name}.env").message


@pytest.mark.parametrize(
    "path", ["", "{nam}.env", "{name", "{name!r}", "{name:>9}", "{}", "{name.x}", "{0}", 7, None]
)
def test_bad_template(tmp_path: Path, path: object) -> None:
    """A path with anything else in braces is refused when the sink is opened."""
    with pytest.raises(SinkError, match="sink app-env"):
        DotenvSink(SinkConfig("app-env", "dotenv", {"path": path}), tmp_path)


@pytest.mark.parametrize("name", ["1KEY", "A-B", "A=B", "", "A\nB"])
def test_name_that_no_shell_takes(tmp_path: Path, parcel: MakeParcel, name: str) -> None:
    """A name that no shell takes for a variable is refused, and nothing is written."""
    assert "is no name for a variable" in _refused(tmp_path, parcel({name: CANARY})).message
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("value", ["canary-77aa\r", "canary-77aa${X}", "canary-77aa\udc80"])
def test_value_that_readers_disagree_on(tmp_path: Path, parcel: MakeParcel, value: str) -> None:
    """A value that readers would take differently is refused with another way, and nothing is written."""
    error = _refused(tmp_path, parcel({"GOOD": "1", "KEY": value}))
    assert "the value for KEY of test/payroll" in error.message
    assert "exec" in error.remedy
    assert [] == list(tmp_path.iterdir())


def test_unknown_part(tmp_path: Path, one: Parcel) -> None:
    """A name for a part that the secret does not have is refused, with the parts that it has."""
    wrong = Parcel(one.address, one.provider, 1, "op", {"KEY": "token"}, one.secret)
    error = _refused(tmp_path, wrong)
    assert "the secret of test/payroll has no part token" == error.message
    assert "deliver one of its parts: part_0" == error.remedy


def test_unclosed_quote_is_found(tmp_path: Path, parcel: MakeParcel) -> None:
    """Where an open quote of the file would swallow the delivery, it is refused and the file kept."""
    (tmp_path / "app.env").write_text("A='\n")
    assert "is never closed" in _refused(tmp_path, parcel({"KEY": "a' # b"})).message
    assert "A='\n" == (tmp_path / "app.env").read_text()
