"""Apply over a real authorization server, whose clients are managed by tokens that each answer replaces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from engine_world import CLIENT, World, deliver
from msgspec.structs import replace
from oidc_server import OidcServer, running_oidc

from provisioner.core.journal import Action, Phase, SaveGeneration, SaveOperation, Write
from provisioner.core.model import Address, GenerationState, Via
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Outcome, Spec
from provisioner.core.secret import Secret
from provisioner.core.situation import Order
from provisioner.engine.apply import Status, Summary
from provisioner.engine.context import Context
from provisioner.errors import StateUnavailable
from provisioner.providers.http import Http
from provisioner.providers.oauth2 import OAuth2

LEDGER = "test/ledger"
READ = {"scopes": ["ledger:read"]}
WRITE = {"scopes": ["ledger:write"]}


@pytest.fixture(scope="module")
def oidc() -> Iterator[OidcServer]:
    """A server that replaces the registration access token with every answer, reads too."""
    with running_oidc() as server:
        yield server


def declare(world: World, fields: Any = READ, **given: Any) -> None:
    world.declare(LEDGER, provider="oauth2", fields=fields, deliver=deliver("ledger", *CLIENT), **given)


def _opened(server: OidcServer, policy: str) -> OAuth2:
    config = ProviderConfig("oauth2", "test", server.issuer)
    return OAuth2(config, Http(config, Secret({"token": server.tokens[policy]})))


def reach(world: World, server: OidcServer, policy: str = "plain") -> None:
    """Let each run of this world reach the server, as a provider of its own."""
    place = ("oauth2", "test")

    def wrap(context: Context) -> Context:
        providers = {**context.providers, place: _opened(server, policy)}
        return replace(context, providers=providers, via={**context.via, place: Via.API})

    world.wrap = wrap


def works(world: World, server: OidcServer, fields: Any) -> bool:
    """Whether what lies in the sink is accepted by the server."""
    parts = {name.removeprefix("LEDGER_").lower(): value for name, value in world.delivered(LEDGER).items()}

    async def ask() -> bool:
        provider = _opened(server, "plain")
        found = await provider.verify(Secret(parts), Spec(Address.parse(LEDGER), fields))
        await provider.close()
        return found.outcome is Outcome.WORKS

    return asyncio.run(ask())


def statuses(summary: Summary) -> list[tuple[str, Status]]:
    return [(outcome.change.action.value, outcome.status) for outcome in summary.outcomes]


def audit(world: World) -> list[str]:
    with world.store() as store:
        return [row.event for row in store.audit_log()]


def test_apply_and_apply_again(world: World, oidc: OidcServer) -> None:
    """What is declared is registered and delivered, and a plan has no changes then and spends no token."""
    reach(world, oidc)
    declare(world)
    assert [("create", Status.DONE)] == statuses(world.apply())
    assert works(world, oidc, READ)
    for _ in range(2):
        made = world.plan()
        assert ((), 1) == (made.changes, made.unchanged)
        told = "oauth2 in test: RFC 7592 lists no clients, and to read one may replace its token"
        assert (told,) == made.unseen
    assert "secret replaced" not in audit(world)


def test_a_life_over_several_runs(world: World, oidc: OidcServer) -> None:
    """Each run opens what the one before sealed: updates, renewal and revocation go on and on."""
    reach(world, oidc)
    declare(world)
    world.apply()
    for fields in (WRITE, READ, WRITE):
        declare(world, fields)
        assert [("update", Status.DONE)] == statuses(world.apply())
        assert works(world, oidc, fields)
    first = world.delivered(LEDGER)["LEDGER_CLIENT_ID"]
    world.orders = {Address.parse(LEDGER): Order(Action.RENEW, "asked for")}
    assert [("renew", Status.DONE)] == statuses(world.apply())
    assert first != world.delivered(LEDGER)["LEDGER_CLIENT_ID"]
    world.orders = {}
    world.sandbox.advance(25 * 3600)
    assert [("retire", Status.DONE)] == statuses(world.apply())
    world.forget(LEDGER)
    assert [("revoke", Status.DONE)] == statuses(world.apply())
    assert not works(world, oidc, WRITE)
    assert {GenerationState.RETIRED} == {g.state for g in world.record(LEDGER).generations}


def test_an_update_waits_for_an_identity(world: World, oidc: OidcServer) -> None:
    """A runner that can only seal registers and delivers; an update waits for an identity."""
    reach(world, oidc)
    world.with_identity = False
    declare(world)
    assert 0 == world.apply().exit_code
    declare(world, WRITE)
    for _ in range(2):
        summary = world.apply()
        assert ([Status.WAITING], 5) == ([outcome.status for outcome in summary.outcomes], summary.exit_code)
    world.with_identity = True
    assert [("recover", Status.DONE)] == statuses(world.apply())
    assert works(world, oidc, WRITE)
    assert WRITE == world.record(LEDGER).fields


def test_what_may_do_too_much_is_taken_back(world: World, oidc: OidcServer) -> None:
    """A client that the server registered wider than asked is deleted, with no identity needed for it."""
    reach(world, oidc, "widening")
    world.with_identity = False
    declare(world)
    summary = world.apply()
    assert [("create", Status.FAILED)] == statuses(summary)
    assert "granted more than asked (admin)" in summary.outcomes[0].text
    assert {} == world.delivered(LEDGER)
    assert [GenerationState.RETIRED] == [g.state for g in world.record(LEDGER).generations]


def test_what_cannot_be_used_as_declared_says_why(world: World, oidc: OidcServer) -> None:
    """A client that the server registered otherwise is deleted, and the summary tells the difference."""
    reach(world, oidc, "otherMethod")
    declare(world)
    summary = world.apply()
    assert "rejected by oauth2: token_endpoint_auth_method is client_secret_post" in summary.outcomes[0].text


def test_a_secret_that_an_update_replaced_is_delivered(world: World, oidc: OidcServer) -> None:
    """Where an update issues another client secret, the sinks get that one in the same apply."""
    reach(world, oidc, "reissuing")
    declare(world)
    world.apply()
    before = world.delivered(LEDGER)
    declare(world, WRITE)
    assert [("update", Status.DONE)] == statuses(world.apply())
    after = world.delivered(LEDGER)
    assert ["LEDGER_CLIENT_SECRET"] == [name for name in after if before[name] != after[name]]
    assert works(world, oidc, WRITE)


def test_an_update_that_keeps_the_secret_delivers_nothing(world: World, oidc: OidcServer) -> None:
    """A replaced management token is no reason to deliver: consumers never had it."""
    reach(world, oidc)
    declare(world)
    world.apply()
    sink = world.root / "secrets" / f"{LEDGER}.env"
    sink.unlink()
    declare(world, WRITE)
    world.apply()
    assert not sink.exists()


@dataclass
class Full:
    """A store that takes no secret outside of an operation's own step: its disk is full at that moment."""

    store: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def commit(self, writes: Sequence[Write]) -> None:
        if isinstance(writes[0], SaveGeneration) and not any(isinstance(w, SaveOperation) for w in writes):
            raise StateUnavailable("the disk is full")
        await self.store.commit(writes)


def test_a_token_that_the_store_cannot_take_is_rescued(world: World, oidc: OidcServer) -> None:
    """What the store could not take lies sealed in the emergency folder, and the next run takes it in."""
    reach(world, oidc)
    declare(world)
    world.apply()
    plain = world.wrap
    world.wrap = lambda context: plain(replace(context, store=Full(context.store)))
    declare(world, WRITE)
    assert [("update", Status.FAILED)] == statuses(world.apply())
    folder = world.root / ".provision" / "emergency"
    assert 1 == len(list(folder.iterdir()))
    world.wrap = plain
    assert [("recover", Status.DONE)] == statuses(world.apply())
    assert [] == list(folder.iterdir())
    assert works(world, oidc, WRITE)


def test_an_unseen_registration_is_unknown(world: World, oidc: OidcServer) -> None:
    """A registration that was sent and whose answer nobody saw is reported, never guessed nor repeated."""
    reach(world, oidc)
    declare(world)
    plain = world.wrap

    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def cut(context: Context) -> Context:
        reached = plain(context)
        reached.providers["oauth2", "test"].create = killed  # type: ignore[method-assign]  # the process dies here
        return reached

    world.wrap = cut
    with pytest.raises(KeyboardInterrupt):
        world.apply()
    world.wrap = plain
    for _ in range(2):
        summary = world.apply()
        assert [Status.WAITING] == [outcome.status for outcome in summary.outcomes]
    with world.store() as store:
        assert [Phase.UNKNOWN] == [operation.phase for operation in store.operations(["test"])]


def test_a_renamed_client_is_managed_on(world: World, oidc: OidcServer) -> None:
    """A token that was sealed under an earlier name manages the client under its new one."""
    reach(world, oidc)
    declare(world)
    world.apply()
    world.forget(LEDGER)
    named = {"previously": "ledger", "deliver": deliver("ledger", *CLIENT)}
    world.declare("test/books", provider="oauth2", fields=WRITE, **named)
    assert [("update", Status.DONE)] == statuses(world.apply())
    named["deliver"] = deliver("books", *CLIENT)
    world.declare("test/books", provider="oauth2", fields=READ, **named)
    assert [("update", Status.DONE)] == statuses(world.apply())
    assert {"BOOKS_CLIENT_ID", "BOOKS_CLIENT_SECRET"} == set(world.delivered("test/books"))
    world.forget("test/books")
    assert [("revoke", Status.DONE)] == statuses(world.apply())


def test_every_use_of_a_sealed_token_is_told(world: World, oidc: OidcServer) -> None:
    """Opening a secret to manage its client, and what replaces it, are rows of the audit log."""
    reach(world, oidc)
    declare(world)
    world.apply()
    declare(world, WRITE)
    world.apply()
    events = audit(world)
    assert (1, 2) == (events.count("secret read"), events.count("secret replaced"))
