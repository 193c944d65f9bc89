"""Is a test endpoint certainly not production's? Asked before anything is ended because it is a copy.

A copy has the very id of its original, so right after a refresh test shows what production shows, and no look
at what is there tells the two apart. What tells them apart, in the order in which it is asked:

- that production's endpoint is declared at all: otherwise nothing can be told from it;
- the URL itself, normalised: case, default port, trailing slash, dots, IDN;
- the URL again, against the one that production was last applied at (cli.reached): that finds endpoints that
  were swapped together with their tokens;
- the management token: one that is the same for both proves nothing, and opens both;
- the token again, as the proof: production's endpoint is asked to read with the token of test. Where it is
  refused, nothing that this run sends to test can do anything in production, wherever the test endpoint
  leads: by an alias (CNAME), a proxy, or endpoints that were swapped in provision.yaml. Where it is let in,
  they are one place;
- the address that both names resolve to, with port and path, where that proof cannot be had, and always over
  plain http, where no certificate holds a name apart.

A certificate is not asked for: vendors serve test and production with one, so an equal one proves nothing.
`sandbox` in both is told apart by the kind of the environment.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Collection, Iterator
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

from provisioner.cli import reached
from provisioner.cli.reached import parts, place
from provisioner.cli.session import SANDBOX
from provisioner.core.capabilities import Observe
from provisioner.core.copies import home_of, of_copy
from provisioner.core.model import Kind, Via
from provisioner.core.plan import Plan
from provisioner.core.project import ProviderConfig
from provisioner.errors import NotAuthorised, ProvisionError, Refused

if TYPE_CHECKING:
    from provisioner.cli.session import Session

NOWHERE = "provision-bootstrap-asks-whether-it-is-let-in"
"""An id that no vendor gives."""


class Proof(Enum):
    """What production says to the token of test."""

    LET_IN = auto()
    REFUSED = auto()
    NONE = auto()  # it did not answer, or there is nothing to ask


def require_for(session: Session, plan: Plan) -> None:
    """Raise Refused where the plan would end copies at an endpoint that may be production's."""
    require_known(session, plan)
    ends = {(one.provider, one.address.environment) for one in plan.changes if of_copy(one.address)}
    for environment in sorted({name for _, name in ends}):
        require(session, environment, [provider for provider, name in ends if name == environment])


def require_known(session: Session, plan: Plan) -> None:
    """Raise Refused where nothing says where the originals are of what the plan would end as their copies."""
    places = {(one.provider, home_of(one.address)) for one in plan.changes if of_copy(one.address)}
    unknown = sorted(place for place in places if place not in session.project.providers)
    if unknown:
        lines = (f"  {provider}: provision.yaml has no endpoint in {name}" for provider, name in unknown)
        raise Refused(
            "\n".join(["nothing is done where test may be production:", *lines]),
            remedy="say where production is under `providers`; its token need not be at hand",
        )


def require(session: Session, environment: str, providers: Collection[str]) -> None:
    """Raise Refused, naming all of them, where one of these vendors' endpoints may be production's."""
    found = [line for provider in sorted(providers) for line in _same(session, provider, environment)]
    if found:
        raise Refused(
            "\n".join(["nothing is done where test may be production:", *(f"  {line}" for line in found)]),
            remedy=f"give {environment} the endpoint and the management token of its own in provision.yaml",
        )


def _same(session: Session, provider: str, environment: str) -> Iterator[str]:
    here = session.project.providers.get((provider, environment))
    if here is None:
        return  # nothing can be reached there, and the apply says so
    for name, known in session.project.environments.items():
        there = session.project.providers.get((provider, name))
        if known.kind is not Kind.PRODUCTION:
            continue
        if _was(session, here, name):
            yield f"{provider}: {environment} is at {here.endpoint}, where {name} was applied"
        elif there is not None and (why := _why_same(session, here, there)):
            yield f"{provider}: {environment} and {name} {why}"


def _was(session: Session, test: ProviderConfig, environment: str) -> bool:
    if test.endpoint == SANDBOX:
        return False
    with session.store() as store:
        return reached.last(store, test.provider, environment) == place(test.endpoint)


def _why_same(session: Session, test: ProviderConfig, production: ProviderConfig) -> str:
    if {test.endpoint, production.endpoint} == {SANDBOX}:
        return ""
    if SANDBOX not in (test.endpoint, production.endpoint) and place(test.endpoint) == place(
        production.endpoint
    ):
        return f"have the same endpoint, {production.endpoint}"
    if _same_token(session, test, production):
        return "have the same management token"
    proof = asyncio.run(_proof(session, test, production))
    if proof is Proof.LET_IN:
        return "are one place: production lets in who has the token of test"
    sure = proof is Proof.REFUSED and test.endpoint.lower().startswith("https:")
    if not sure and SANDBOX not in (test.endpoint, production.endpoint) and _same_address(test, production):
        return "have names for the same address, port and path"
    return ""


def _same_token(session: Session, test: ProviderConfig, production: ProviderConfig) -> bool:
    """By where it comes from; and by what it is, where both lie at hand and no command must be run for it."""
    ours, theirs = test.auth.get("token"), production.auth.get("token")
    if ours is None or theirs is None:
        return False
    if ours == theirs or "exec" in (ours.how, theirs.how):
        return ours == theirs
    with suppress(ProvisionError):  # a run for test need not have production's
        mine, other = session.token(test), session.token(production)
        if mine is not None and other is not None:
            return hmac.compare_digest(mine.reveal("token").encode(), other.reveal("token").encode())
    return False


async def _proof(session: Session, test: ProviderConfig, production: ProviderConfig) -> Proof:
    known = session.registry.declarations[test.provider].capabilities
    if Via.PORTAL in (test.via, production.via) or known[test.via].observe is not Observe.LIST:
        return Proof.NONE  # nothing is listed there by calls, and so nothing is taken for a copy
    try:
        provider = session.open_with(production, session.token(test))
    except ProvisionError:
        return Proof.NONE
    try:
        await provider.get(NOWHERE)
    except NotAuthorised:
        return Proof.REFUSED
    except ProvisionError:
        return Proof.NONE
    finally:
        await provider.close()
    return Proof.LET_IN


def _same_address(test: ProviderConfig, production: ProviderConfig) -> bool:
    ours, theirs = parts(test.endpoint), parts(production.endpoint)
    return ours[1:] == theirs[1:] and bool(_addresses(*ours[:2]) & _addresses(*theirs[:2]))


def _addresses(host: str, port: int) -> set[str]:
    try:
        return {str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()
