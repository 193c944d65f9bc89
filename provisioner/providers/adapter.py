"""What a provider's module exposes as `PROVIDER`: its declaration, and the way to open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from provisioner.core.capabilities import Declaration
from provisioner.core.project import ProviderConfig
from provisioner.core.provider import Provider

if TYPE_CHECKING:
    from provisioner.providers.http import Http

PROTOCOL = 1
"""The version of the provider protocol that we speak: `core.provider`, `Declaration` and this."""


class Adapter(Struct, frozen=True):
    """One vendor: all that is known of it without a call, and how to get a `Provider` for an environment.

    Importing the module of an adapter must not need httpx: `validate` reads declarations only.
    """

    declaration: Declaration
    open: Callable[[ProviderConfig, Http], Provider]
    """`open(config, http)`; `config.options` holds what this provider alone understands."""
