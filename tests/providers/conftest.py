"""What the providers' tests share: authorization servers that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oidc_server import OidcServer, running_oidc


@pytest.fixture(scope="session")
def oidc() -> Iterator[OidcServer]:
    """A server that replaces the registration access token with every answer, reads too."""
    with running_oidc() as server:
        yield server


@pytest.fixture(scope="session", params=["never", "updates", "always"])
def rotating(request: pytest.FixtureRequest) -> Iterator[OidcServer]:
    """A server that replaces registration access tokens never, on updates, or on reads as well."""
    with running_oidc(rotate=request.param) as server:
        yield server
