"""Sink `vault` against a real OpenBao server, reached directly or through a relay that misbehaves."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from bao_server import CANARY, ROOT, Relay, Server, free_port, handler, start

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.vault import VaultSink

MakeParcel = Callable[..., Parcel]


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not break it."""
    yield from start(tmp_path_factory.mktemp("bao"))


@pytest.fixture
def own_bao(tmp_path: Path) -> Iterator[Server]:
    """A server for one test."""
    yield from start(tmp_path)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_BAO_TOKEN", ROOT)


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """A path of its own for each test."""
    return f"{request.node.name}/{{environment}}/{{name}}".replace("[", "-").replace("]", "-")


@pytest.fixture
def relay(bao: Server) -> Iterator[Relay]:
    """A relay to the shared server."""
    relay = Relay(bao.endpoint)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(relay))
    relay.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield relay
    server.shutdown()
    thread.join()
    server.server_close()


def _sink(endpoint: str, path: str, **options: object) -> VaultSink:
    auth = {"token": {"env": "TEST_BAO_TOKEN"}}
    values = {"endpoint": endpoint, "path": path, "auth": auth} | options
    return VaultSink(SinkConfig("store", "vault", values), Path("/"))


def _refused(sink: VaultSink, parcel: Parcel) -> SinkError:
    with pytest.raises(SinkError) as caught:
        asyncio.run(sink.deliver(parcel))
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.remedy
    assert CANARY not in shown
    assert ROOT not in shown
    assert caught.value.message.startswith("sink store: ")
    return caught.value


@pytest.fixture
def one(parcel: MakeParcel) -> Parcel:
    """One value under the name KEY."""
    return parcel({"KEY": CANARY})


@pytest.fixture
def at(path: str) -> str:
    """Where the parcel `one` ends up."""
    return path.format(environment="test", name="payroll")


def test_delivery(bao: Server, parcel: MakeParcel, path: str, at: str) -> None:
    """A delivery is one version with the values, whatever text they are."""
    values = {"KEY": CANARY, "ODD": "\"'\\$\n☃", "EMPTY": ""}
    asyncio.run(_sink(bao.endpoint, path).deliver(parcel(values)))
    assert (1, values) == bao.secret(at)


def test_redelivery_writes_nothing(bao: Server, one: Parcel, path: str, at: str) -> None:
    """Delivering the same again, by the same run or by the next, makes no new version."""
    sink = _sink(bao.endpoint, path)
    asyncio.run(sink.deliver(one))
    asyncio.run(sink.deliver(one))
    asyncio.run(_sink(bao.endpoint, path).deliver(one))
    assert (1, {"KEY": CANARY}) == bao.secret(at)


def test_redelivery_after_a_lost_answer(bao: Server, relay: Relay, one: Parcel, path: str, at: str) -> None:
    """Where the write took effect and its answer was lost, the next delivery sees it and writes nothing."""
    relay.drop = "POST"
    assert "cannot be reached" in _refused(_sink(relay.endpoint, path), one).message
    assert (1, {"KEY": CANARY}) == bao.secret(at)
    asyncio.run(_sink(bao.endpoint, path).deliver(one))
    assert (1, {"KEY": CANARY}) == bao.secret(at)


def test_next_generation_is_the_next_version(bao: Server, parcel: MakeParcel, path: str, at: str) -> None:
    """A new generation makes one new version; other keys of the secret are kept as they are."""
    bao.ask("POST", f"secret/data/{at}", {"data": {"OTHER": {"deep": [1, 2.5, None]}}})
    for generation in (1, 2):
        asyncio.run(
            _sink(bao.endpoint, path).deliver(parcel({"KEY": str(generation)}, generation=generation))
        )
    assert (3, {"OTHER": {"deep": [1, 2.5, None]}, "KEY": "2"}) == bao.secret(at)


@pytest.mark.parametrize("way", ["delete", "destroy"])
def test_deleted_secret_is_written_again(bao: Server, one: Parcel, path: str, at: str, way: str) -> None:
    """A secret whose present version was deleted or destroyed gets a new one."""
    asyncio.run(_sink(bao.endpoint, path).deliver(one))
    bao.ask("POST", f"secret/{way}/{at}", {"versions": [1]})
    asyncio.run(_sink(bao.endpoint, path).deliver(one))
    assert (2, {"KEY": CANARY}) == bao.secret(at)


def test_shared_secret_under_concurrency(
    bao: Server, parcel: MakeParcel, request: pytest.FixtureRequest
) -> None:
    """Several credentials delivered into one secret at once are all in it, with one version each."""

    async def all_at_once() -> None:
        sinks = [_sink(bao.endpoint, request.node.name) for _ in range(5)]
        await asyncio.gather(*(sink.deliver(parcel({f"KEY_{n}": str(n)})) for n, sink in enumerate(sinks)))

    asyncio.run(all_at_once())
    assert (5, {f"KEY_{n}": str(n) for n in range(5)}) == bao.secret(request.node.name)


def test_version_conflict(bao: Server, relay: Relay, one: Parcel, path: str, at: str) -> None:
    """A writer who changes the same value between our read and our write is not overwritten."""

    def rival(method: str, _: str) -> None:
        if method == "POST":
            bao.ask("POST", f"secret/data/{at}", {"data": {"KEY": "theirs"}})

    relay.before = rival
    error = _refused(_sink(relay.endpoint, path), one)
    assert f"sink store: another writer changed the same values of {at} (version 1)" == error.message
    assert (1, {"KEY": "theirs"}) == bao.secret(at)


def test_rival_with_other_keys(bao: Server, relay: Relay, one: Parcel, path: str, at: str) -> None:
    """A writer who changes another value in between is no conflict: both are kept."""
    others = iter(["1", "2"])

    def neighbour(method: str, _: str) -> None:
        if method == "POST" and (value := next(others, None)):
            bao.ask("POST", f"secret/data/{at}", {"data": {"OTHER": value}})

    relay.before = neighbour
    asyncio.run(_sink(relay.endpoint, path).deliver(one))
    assert (3, {"OTHER": "2", "KEY": CANARY}) == bao.secret(at)


def test_rival_without_end(bao: Server, relay: Relay, one: Parcel, path: str, at: str) -> None:
    """Where others change the secret again and again, the delivery gives up in the end."""
    counter = iter(range(1000))

    def busy(method: str, _: str) -> None:
        if method == "POST":
            bao.ask("POST", f"secret/data/{at}", {"data": {"OTHER": next(counter)}})

    relay.before = busy
    assert "was changed by others 10 times" in _refused(_sink(relay.endpoint, path), one).message


def test_write_refused_for_another_reason(relay: Relay, one: Parcel, path: str, at: str) -> None:
    """A write that the server refuses although nobody else wrote is an error, not an endless round."""
    relay.answer, relay.only = 400, "POST"
    error = _refused(_sink(relay.endpoint, path), one)
    assert f"sink store: the server refuses to write {at} (400)" == error.message
    assert 1 == [method for method, _ in relay.seen].count("POST")


def test_wrong_token(bao: Server, one: Parcel, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that the server does not take is said so, and never shown."""
    monkeypatch.setenv("TEST_BAO_TOKEN", f"wrong-{CANARY}")
    error = _refused(_sink(bao.endpoint, path), one)
    assert f"sink store: {bao.endpoint} does not allow it (403)" == error.message
    assert "`auth`" in error.remedy


def test_missing_token(bao: Server, one: Parcel, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is not at hand is named by its variable."""
    monkeypatch.delenv("TEST_BAO_TOKEN")
    error = _refused(_sink(bao.endpoint, path), one)
    assert "the environment variable TEST_BAO_TOKEN is not set" in error.message


def test_sealed_store(own_bao: Server, one: Parcel, path: str) -> None:
    """A sealed store is called so."""
    own_bao.ask("POST", "sys/seal")
    error = _refused(_sink(own_bao.endpoint, path), one)
    assert f"sink store: {own_bao.endpoint} is sealed or under maintenance (503)" == error.message


def _approle(bao: Server) -> tuple[str, str]:
    bao.ask("POST", "sys/auth/approle", {"type": "approle"})
    bao.ask(
        "POST",
        "sys/policies/acl/writer",
        {"policy": 'path "secret/data/*" {capabilities=["read","create","update"]}'},
    )
    bao.ask("POST", "auth/approle/role/provision", {"token_policies": "writer"})
    _, role = bao.ask("GET", "auth/approle/role/provision/role-id")
    _, secret = bao.ask("POST", "auth/approle/role/provision/secret-id", {})
    return role["data"]["role_id"], secret["data"]["secret_id"]


def test_approle(own_bao: Server, parcel: MakeParcel, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AppRole that may only read and write the path delivers, and logs in again once its token ended."""
    role, secret = _approle(own_bao)
    monkeypatch.setenv("SECRET_ID", secret)
    auth = {"role_id": {"exec": ["printf", role]}, "secret_id": {"env": "SECRET_ID"}}
    sink = _sink(own_bao.endpoint, path, auth=auth)
    asyncio.run(sink.deliver(parcel({"KEY": "1"})))
    _, accessors = own_bao.ask("LIST", "auth/token/accessors")
    for accessor in accessors["data"]["keys"]:
        _, token = own_bao.ask("POST", "auth/token/lookup-accessor", {"accessor": accessor})
        if "writer" in token["data"]["policies"]:
            own_bao.ask("POST", "auth/token/revoke-accessor", {"accessor": accessor})
    asyncio.run(sink.deliver(parcel({"KEY": "2"}, generation=2)))
    assert (2, {"KEY": "2"}) == own_bao.secret(path.format(environment="test", name="payroll"))


def test_wrong_approle(own_bao: Server, one: Parcel, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AppRole that the server does not take is said so, and never shown."""
    role, _ = _approle(own_bao)
    monkeypatch.setenv("SECRET_ID", CANARY)
    auth = {"role_id": {"exec": ["printf", role]}, "secret_id": {"env": "SECRET_ID"}}
    assert "does not allow it" in _refused(_sink(own_bao.endpoint, path, auth=auth), one).message


@pytest.mark.parametrize("mount", ["nowhere", "kv1", "cubbyhole"])
def test_mount_that_is_no_kv_2(bao: Server, one: Parcel, path: str, mount: str) -> None:
    """A mount that is missing, of version 1 or of another kind is refused before anything is written."""
    bao.ask("POST", "sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
    error = _refused(_sink(bao.endpoint, path, mount=mount), one)
    assert f"{mount} is no KV engine of version 2" in error.message or "does not allow it" in error.message
    assert 404 == bao.ask("LIST", "kv1/")[0]


def test_server_that_is_not_there(one: Parcel, path: str) -> None:
    """A server that cannot be reached is named."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    assert (
        f"sink store: {endpoint} cannot be reached: Connection refused"
        == _refused(_sink(endpoint, path), one).message
    )


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(429, "is a standby"), (473, "is a standby"), (500, "answered 500"), (502, "answered 502")],
)
def test_server_in_trouble(relay: Relay, one: Parcel, path: str, status: int, meaning: str) -> None:
    """An answer that means trouble is put in our words, without the server's."""
    relay.answer = status
    assert meaning in _refused(_sink(relay.endpoint, path), one).message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed(relay: Relay, bao: Server, one: Parcel, path: str, status: int) -> None:
    """A redirect could carry the token anywhere, so it is an error."""
    relay.answer, relay.location = status, f"{relay.endpoint}/elsewhere"
    assert f"({status})" in _refused(_sink(relay.endpoint, path), one).message
    assert [("GET", "/v1/sys/internal/ui/mounts/secret")] == relay.seen


@pytest.mark.parametrize(
    ("endpoint", "good"),
    [
        ("https://bao.example.com:8200", True),
        ("http://127.0.0.1:8200", True),
        ("http://[::1]:8200", True),
        ("http://localhost:8200/", True),
        ("http://bao.example.com:8200", False),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.1", False),
        ("file:///etc/passwd", False),
        ("bao.example.com", False),
        ("", False),
    ],
)
def test_secrets_travel_encrypted(endpoint: str, good: bool) -> None:
    """Only https, or this machine, is taken for an endpoint."""
    try:
        _sink(endpoint, "x")
        opened = True
    except SinkError:
        opened = False
    assert good == opened


@pytest.mark.parametrize(
    "auth",
    [
        None,
        {},
        CANARY,
        {"token": CANARY},
        {"role_id": {"env": "A"}},
        {"token": {"env": "A"}, "role_id": {"env": "A"}},
    ],
)
def test_bad_auth(auth: object) -> None:
    """Auth that is missing or mixed up is refused when the sink is opened; nothing of it is repeated."""
    with pytest.raises(SinkError, match=r"sink store: .*auth") as caught:
        _sink("https://bao.example.com", "x", auth=auth)
    assert CANARY not in caught.value.message + caught.value.remedy
