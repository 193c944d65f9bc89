"""A route: one row of a vendor's table, with all that deciding about a request needs."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from provisioner.core.secret import Secret


class Safety(StrEnum):
    """What sending a request twice would do."""

    READ = "read"  # nothing: it has no effect
    IDEMPOTENT = "idempotent"  # the effect of sending it once
    ONCE = "once"  # a second effect: a create is never repeated blindly (design §7)


class Route(Struct, frozen=True):
    """What is asked, and what its answers may hold. Errors and logs name it; it never holds an id."""

    method: str
    path: str
    """Below the endpoint; `{id}` stands for an id."""
    safety: Safety
    accept: frozenset[int] = frozenset()
    """Statuses that the reader understands, besides 2xx."""
    body: bool = True
    """Whether a 2xx has to bring JSON."""
    managed: bool = True
    """Whether our management token goes with it."""
    quotable: bool = True
    """Whether a refusal's words may be repeated; not where a request or an answer holds a secret."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Elsewhere(Struct, frozen=True):
    """Where the vendor itself said that a route is, such as in its metadata: not below the endpoint."""

    url: str
    authorization: Secret | None = None
    """The part `authorization` is the header of that name, instead of our management token."""
