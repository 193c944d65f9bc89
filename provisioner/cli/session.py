"""The composition root: a project's manifests, store, sealer, sinks and vendors, put together for the engine.

Time: where every vendor of the project is an embedded twin, the twins' clock is the project's clock, so that
`provision sandbox clock --advance` moves a whole project. Otherwise it is the machine's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from provisioner.cli import kept_head
from provisioner.cli.places import Sinks, Vendors, closing
from provisioner.core.model import Via
from provisioner.core.project import Project, ProviderConfig
from provisioner.core.provider import Provider
from provisioner.core.secret import Secret
from provisioner.errors import ProviderError, ProvisionError

if TYPE_CHECKING:
    from provisioner.engine.context import Context, Step
    from provisioner.engine.ports import Person
    from provisioner.providers.http import Http
    from provisioner.providers.registry import Registry
    from provisioner.sandbox.world import Sandbox
    from provisioner.secrets.sealing import AgeSealer
    from provisioner.state import Readable
    from provisioner.state.store import StateStore

SANDBOX = "sandbox"
"""The endpoint that means the embedded twin."""

HOME = Path(".provision")
"""What provision keeps beside the manifests."""


def sandbox_folder(root: Path) -> Path:
    """Where the twins of a project keep their data."""
    return root / HOME / "sandbox"


def open_sandbox(root: Path) -> Sandbox:
    """The twins of the project in this folder. Raises ProvisionError for data that they cannot work on."""
    import sqlite3

    from provisioner.sandbox.world import Sandbox

    folder = sandbox_folder(root)
    try:
        return Sandbox(folder)
    except ValueError as error:
        raise ProvisionError(str(error)) from None
    except sqlite3.OperationalError as error:
        why, remedy = str(error), "wait for whoever works on it, or make room for it; then run again"
    except sqlite3.DatabaseError as error:
        why, remedy = str(error), "delete the folder: the twins start anew, without what they held"
    except OSError as error:
        why, remedy = str(error.strerror), "run as the user whom the folder belongs to"
    raise ProvisionError(f"the sandbox in {folder} cannot be used: {why}", remedy=remedy)


def open_session(*, empty: bool = False) -> Session:
    """The project in the present folder, let go of when the command ends. Raises ManifestInvalid.

    `empty` takes one that declares nothing yet.
    """
    session = Session(Path.cwd(), empty=empty)
    click.get_current_context().call_on_close(session.close)
    return session


class Session:
    """One project, as one run of the program works with it. Raises ManifestInvalid when it is made."""

    def __init__(self, root: Path, *, empty: bool = False) -> None:
        from provisioner import manifest
        from provisioner.providers import registry

        self.registry: Registry = registry.load()
        self.project: Project = manifest.load(root, self.registry.declarations, empty=empty)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.root

    @cached_property
    def sandbox(self) -> Sandbox:
        """The embedded twins of this project."""
        return open_sandbox(self.root)

    def close(self) -> None:
        """Let go of the twins' data, where it was opened."""
        if "sandbox" in self.__dict__:
            self.sandbox.close()

    @cached_property
    def _on_the_sandboxs_clock(self) -> bool:
        endpoints = {config.endpoint for config in self.project.providers.values()}
        return endpoints == {SANDBOX}

    def now(self) -> datetime:
        """The present moment in UTC, on the project's clock."""
        return self.sandbox.now() if self._on_the_sandboxs_clock else datetime.now(UTC)

    def reading(self) -> Readable:
        """The project's state, for a plan."""
        from provisioner.state import read_store

        return read_store(
            self.project.state, project=self.project.name, root=self.root, clock=lambda: datetime.now(UTC)
        )

    def store(self, *, writing: bool = False, restored: bool = False) -> StateStore:
        """The project's state; without `writing` one that is not there reads as empty and is not made.

        Raises StoreRestored for writing to one that is an older copy of itself, unless `restored` says that
        this is known.
        """
        from provisioner.state import open_store

        store = open_store(
            self.project.state,
            project=self.project.name,
            root=self.root,
            clock=lambda: datetime.now(UTC),  # leases are about processes, which live on the machine's clock
            create=writing,
            read_only=not writing,
        )
        if writing and not restored:
            self._check(store)
        return store

    def _check(self, store: StateStore) -> None:
        try:
            kept_head.check(self.root, self.project.name, store)
        except BaseException:
            store.close()
            raise

    def keep_head(self, store: StateStore) -> None:
        """Keep the end of the audit log beside the store, after it was written to."""
        kept_head.keep(self.root, self.project.name, store)

    def sealer(self, environments: Iterable[str], identities: tuple[Path, ...] = ()) -> AgeSealer:
        """Seals to the recipients of these environments, and opens with these identities.

        Raises SecretError for a recipient that age does not take.
        """
        from provisioner.secrets.sealing import AgeSealer

        known = self.project.environments
        return AgeSealer({name: known[name].recipients for name in environments}, identities)

    @asynccontextmanager
    async def vendors(self) -> AsyncIterator[Vendors]:
        """The vendors as providers, each opened when first asked for; all belong to one event loop."""
        vendors = Vendors(self.project.providers, self._open)
        async with closing(vendors):
            yield vendors

    def _open(self, config: ProviderConfig) -> Provider:
        return self.open_with(config, self.token(config))

    def open_with(self, config: ProviderConfig, token: Secret | None) -> Provider:
        """A vendor in one environment, worked with by this management token."""
        from provisioner.providers.http import Http

        adapter = self.registry.adapter(config.provider)
        if config.endpoint == SANDBOX:
            return adapter.open(config, self._twin(config, token))
        return adapter.open(config, Http(config, token))

    def _twin(self, config: ProviderConfig, token: Secret | None) -> Http:
        from provisioner.providers.http import Http, Timing

        tenant = self.project.environments[config.environment].kind.value
        here = replace(config, endpoint=f"http://sandbox.invalid/{config.provider}/{tenant}")
        # A twin's own time may be ahead of the machine's, and signatures name the moment (TC5).
        return Http(here, token, app=self.sandbox.app, timing=Timing(now=self.sandbox.now))

    def token(self, config: ProviderConfig) -> Secret | None:
        """Our management token there; None where people manage the vendor in its portal.

        Raises SecretError where it is not to be had, ProviderError for a twin that there is not.
        """
        from provisioner.providers.auth import management_token

        if config.endpoint != SANDBOX:
            return None if config.via is Via.PORTAL else management_token(config, self.root)
        tenant = self.project.environments[config.environment].kind.value
        try:
            token = Secret({"token": self.sandbox.token(config.provider, tenant)})
        except LookupError:
            raise ProviderError(
                f"the sandbox has no twin of {config.provider}", remedy="write the vendor's own endpoint"
            ) from None
        return None if config.via is Via.PORTAL else token

    def context(
        self,
        store: StateStore,
        sealer: AgeSealer,
        vendors: Vendors,
        watch: Callable[[Step], None],
        person: Person | None = None,
    ) -> Context:
        """The engine's surroundings; `person` does handoffs now, where there is one."""
        import asyncio
        from secrets import token_hex

        from provisioner.engine.context import Context
        from provisioner.secrets.emergency import EmergencyFolder

        return Context(
            project=self.project.name,
            store=store,
            sealer=sealer,
            emergency=EmergencyFolder(self.root),
            sinks=Sinks(self.project.sinks, self.root),
            providers=vendors,
            via={place: config.via for place, config in self.project.providers.items()},
            declarations=self.registry.declarations,
            now=self.now,
            sleep=asyncio.sleep,
            nonce=lambda: token_hex(
                8
            ),  # with the longest names, a tag still has at most 128 characters (FP1)
            person=person,
            watch=watch,
        )
