"""Sink `vault`: values in a KV version 2 secret of Vault or OpenBao.

Options: `endpoint`, `mount` (`secret`), `path` with `{environment}`, `{name}` and `{provider}` in it, `auth`
(`token`, or `role_id` and `secret_id`, each with where to get it), `namespace`, `approle` (where that is
mounted), `ca_file`, `timeout` (seconds, 15).

Every write is a check-and-set on the version that was read. Each generation has values of its own, so a
delivery whose values are there has been made: repeating it writes nothing, also after a kill between the
write and the ack. Other keys of the secret are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from provisioner.core.delivery import Parcel
from provisioner.core.model import JsonObject, JsonValue
from provisioner.core.project import SecretSource, SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.parcels import PathTemplate, seconds_option, text_option, values_of
from provisioner.secrets.sources import parse_source
from provisioner.secrets.vault_client import VaultClient, VaultServer

TRIES = 10
"""How often others may change other keys of the same secret before we give up."""
TIMEOUT = 15.0


class Version(Struct, frozen=True):
    """What the server holds at a path; version 0 for nothing yet."""

    number: int
    data: JsonObject

    def holds(self, values: Mapping[str, str]) -> bool:
        """Whether these values are there already."""
        return all(self.data.get(name) == value for name, value in values.items())


class VaultSink:
    """Writes one version for each delivery, and none for a repeated one."""

    def __init__(self, config: SinkConfig, root: Path) -> None:
        self._what = f"sink {config.name}"
        self._checked = False
        self._mount = text_option(config, "mount", "secret").strip("/")
        self._template = PathTemplate(config.name, text_option(config, "path"))
        self._client = VaultClient(
            VaultServer(
                what=self._what,
                endpoint=text_option(config, "endpoint"),
                auth=_auth(config),
                root=root.resolve(),
                namespace=str(config.options.get("namespace", "")),
                ca_file=str(config.options.get("ca_file", "")),
                approle=text_option(config, "approle", "approle").strip("/"),
                timeout=seconds_option(config, "timeout", TIMEOUT),
            )
        )

    async def deliver(self, parcel: Parcel) -> None:
        """Returns once the server holds the values. Raises SinkError, also where another writes the same."""
        await asyncio.to_thread(self._deliver, parcel)

    def _deliver(self, parcel: Parcel) -> None:
        values = values_of(parcel)
        path = self._template.fill(parcel).lstrip("/")
        if not self._checked:
            self._require_version_2()
        seen = self._read(path)
        for _ in range(TRIES):
            if seen.holds(values) or self._write(path, seen, values):
                return
            now = self._read(path)
            self._require_no_rival(path, values, seen, now)
            seen = now
        raise SinkError(f"{self._what}: {path} was changed by others {TRIES} times while it was written")

    def _require_version_2(self) -> None:
        """KV version 1 would take our request for another secret, and overwrite without asking."""
        reply = self._client.call("GET", f"sys/internal/ui/mounts/{quote(self._mount)}")
        mount = reply.body.get("data") or {}
        if not reply.ok or (mount.get("options") or {}).get("version") != "2":
            raise SinkError(
                f"{self._what}: {self._mount} is no KV engine of version 2",
                remedy="enable one there, or write another `mount`",
            )
        self._checked = True

    def _read(self, path: str) -> Version:
        reply = self._client.call("GET", self._url(path))
        if reply.status == 400:
            raise SinkError(f"{self._what}: {path} cannot be read (400)")
        found = reply.body.get("data") or {}  # a deleted version has metadata and no data
        return Version((found.get("metadata") or {}).get("version", 0), found.get("data") or {})

    def _write(self, path: str, seen: Version, values: Mapping[str, str]) -> bool:
        """False where it was refused; the reason is for the caller to see in what is there now."""
        body: dict[str, JsonValue] = {"options": {"cas": seen.number}, "data": {**seen.data, **values}}
        return self._client.call("POST", self._url(path), body).ok

    def _require_no_rival(self, path: str, values: Mapping[str, str], seen: Version, now: Version) -> None:
        if now.number == seen.number:
            raise SinkError(f"{self._what}: the server refuses to write {path} (400)", remedy="see its log")
        if now.holds(values) or all(now.data.get(name) == seen.data.get(name) for name in values):
            return
        raise SinkError(
            f"{self._what}: another writer changed the same values of {path} (version {now.number})",
            remedy="find out who else writes there; the next apply delivers again",
        )

    def _url(self, path: str) -> str:
        return f"{quote(self._mount)}/data/{quote(path)}"


def _auth(config: SinkConfig) -> dict[str, SecretSource]:
    auth = config.options.get("auth")
    if not isinstance(auth, Mapping):
        raise SinkError(
            f"sink {config.name}: `auth` is missing", remedy="write `auth: {token: {env: VAULT_TOKEN}}`"
        )
    try:
        return {part: parse_source(source) for part, source in auth.items()}
    except ValueError as error:
        raise SinkError(f"sink {config.name}: `auth`: {error}") from None
