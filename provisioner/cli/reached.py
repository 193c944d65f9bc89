"""Where production was applied at, kept in the audit log: what endpoints that were swapped cannot change.

Whoever swaps the endpoints of test and production, and their tokens with them, leaves two places that are
certainly apart, and a `test` that is production. Nothing there tells: right after a refresh both hold the
same. So each apply in production writes down which endpoint it goes to, and a bootstrap refuses a test that
is at the last of them.
"""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from provisioner.cli.session import SANDBOX
from provisioner.core.journal import Audit
from provisioner.core.model import Address, Kind
from provisioner.core.plan import Plan
from provisioner.core.project import ProviderConfig

if TYPE_CHECKING:
    from provisioner.cli.session import Session
    from provisioner.state.store import StateStore

EVENT = "endpoint used"

PORTS = {"http": 80, "https": 443}


def rows(session: Session, plan: Plan) -> tuple[Audit, ...]:
    """A row for each vendor that the plan reaches in production; the twin within is told by its kind."""
    found = {(one.provider, one.address.environment) for one in plan.changes}
    configs = [session.project.providers.get(place) for place in sorted(found)]
    return tuple(
        Audit(EVENT, session.now(), _address(one), {"endpoint": place(one.endpoint)})
        for one in configs
        if one is not None and one.endpoint != SANDBOX and _is_production(session, one.environment)
    )


def last(store: StateStore, provider: str, environment: str) -> str | None:
    """The endpoint that was last applied at, normalised; None where none was."""
    history = store.history(Address(environment, f"@{provider}"))
    return next((str(row.detail["endpoint"]) for row in reversed(history) if row.event == EVENT), None)


def place(endpoint: str) -> str:
    """`HOST:PORT/PATH` of an endpoint, so that two ways to write one are equal."""
    host, port, path = parts(endpoint)
    return f"{host}:{port}/{path}"


def parts(endpoint: str) -> tuple[str, int, str]:
    """Host, port and path of an endpoint, normalised: case, default port, slashes, dots, escapes and IDN."""
    split = urlsplit(endpoint)
    host = (split.hostname or "").rstrip(".")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    path = posixpath.normpath(f"/{unquote(split.path)}").lstrip("/")
    return host.lower(), split.port or PORTS.get(split.scheme.lower(), 0), path


def _address(config: ProviderConfig) -> Address:
    """No credential's: no declared name holds the mark."""
    return Address(config.environment, f"@{config.provider}")


def _is_production(session: Session, environment: str) -> bool:
    known = session.project.environments.get(environment)
    return known is not None and known.kind is Kind.PRODUCTION
