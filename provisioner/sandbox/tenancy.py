"""What one vendor keeps for one tenant: credentials, access tokens, and the objects of its data API."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from provisioner.sandbox.replies import not_found

TENANTS = ("test", "production")


def digest(secret: str) -> str:
    """SHA-256 in hex: enough for secrets that are random and long, and all that a show-once vendor keeps."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Credential:
    """A row of the vendor's own table; `secret` is a digest where the vendor could not show it again."""

    seq: int
    id: str
    label: str
    status: str
    created_at: str
    client_id: str
    secret: str = field(repr=False)
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token, or another proof, stands for."""

    credential: Credential
    scopes: frozenset[str]
    handle: str = field(default="", repr=False)
    """Under what the token is kept: its digest; empty for a proof that is no token."""


_COLUMNS = "seq, id, label, status, created_at, client_id, secret, fields"
_LIVE = "vendor = ? AND tenant = ? AND ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Tenancy:
    """One tenant's data at one moment, within one transaction; nothing here can reach another tenant."""

    connection: sqlite3.Connection
    vendor: str
    tenant: str
    now: datetime

    def add(
        self, *, label: str, status: str, client_id: str, secret: str, fields: Mapping[str, object]
    ) -> Credential:
        """A new credential under a new id."""
        remote_id, created_at = secrets.token_hex(12), timestamp(self.now)
        row = (remote_id, label, status, created_at, client_id, secret)
        cursor = self.connection.execute(
            "INSERT INTO credentials"
            " (vendor, tenant, id, label, status, created_at, client_id, secret, fields)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self.vendor, self.tenant, *row, json.dumps(fields)),
        )
        return Credential(cursor.lastrowid or 0, *row, fields)

    def get(self, remote_id: str) -> Credential:
        """The live credential with this id, or `Refusal` 404."""
        rows = self._select("AND id = ?", remote_id)
        if not rows:
            raise not_found()
        return rows[0]

    def by_client_id(self, client_id: str) -> Credential | None:
        """The live credential with this client id."""
        rows = self._select("AND client_id = ?", client_id)
        return rows[0] if rows else None

    def page(self, *, label: str | None, page: int, size: int) -> tuple[list[Credential], int | None]:
        """One page of the live credentials, oldest first, and the number of the next page if there is one."""
        where, value = ("", ()) if label is None else ("AND label = ?", (label,))
        # One row more than asked for tells whether there is another page.
        rows = self._select(f"{where} ORDER BY seq LIMIT ? OFFSET ?", *value, size + 1, (page - 1) * size)
        return rows[:size], page + 1 if len(rows) > size else None

    def _select(self, rest: str, *values: object) -> list[Credential]:
        query = f"SELECT {_COLUMNS} FROM credentials WHERE {_LIVE} {rest}"  # noqa: S608 - constants of this file
        found = self.connection.execute(query, (self.vendor, self.tenant, *values))
        return [_credential(row) for row in found]

    def update(
        self, credential: Credential, *, label: str, fields: Mapping[str, object], secret: str | None = None
    ) -> Credential:
        """The same credential with another label, fields and, if given, secret."""
        changed = replace(credential, label=label, fields=fields, secret=secret or credential.secret)
        self.connection.execute(
            "UPDATE credentials SET label = ?, fields = ?, secret = ? WHERE seq = ?",
            (label, json.dumps(fields), changed.secret, credential.seq),
        )
        return changed

    def set_status(self, credential: Credential, status: str) -> None:
        """Give a credential another status, such as a decision on it."""
        self.connection.execute("UPDATE credentials SET status = ? WHERE seq = ?", (status, credential.seq))

    def end(self, credential: Credential) -> None:
        """Delete: the vendor forgets the secret and its access tokens die; the ledger remembers the rest."""
        self.connection.execute(
            "UPDATE credentials SET ended_at = ?, secret = NULL WHERE seq = ?",
            (timestamp(self.now), credential.seq),
        )

    def issue(self, credential: Credential, scope: str, seconds: float, token: str | None = None) -> str:
        """A new access token, or this one, kept as a digest; with infinite seconds it never expires."""
        moment, token = self.now.timestamp(), token or secrets.token_urlsafe(48)
        self.connection.execute(
            # The plus has SQLite begin with the few that expired, not with all credentials.
            "DELETE FROM access_tokens WHERE expires_at <= ? AND +credential IN"
            " (SELECT seq FROM credentials WHERE vendor = ? AND tenant = ?)",
            (moment, self.vendor, self.tenant),
        )
        self.connection.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?, ?)",
            (digest(token), credential.seq, scope, moment + seconds),
        )
        return token

    def grant(self, token: str) -> Grant | None:
        """What this access token allows here; `None` if it is unknown, expired, or its credential is gone."""
        row = self.connection.execute(
            f"SELECT {_COLUMNS}, scope, digest FROM access_tokens JOIN credentials ON seq = credential"  # noqa: S608 - as above
            f" WHERE {_LIVE} AND digest = ? AND expires_at > ?",
            (self.vendor, self.tenant, digest(token), self.now.timestamp()),
        ).fetchone()
        return Grant(_credential(row), frozenset(row["scope"].split()), row["digest"]) if row else None

    def rescope(self, grant: Grant, scope: str) -> None:
        """Let the token of this grant stand for another scope from now on."""
        self.connection.execute(
            "UPDATE access_tokens SET scope = ? WHERE digest = ? AND credential = ?",
            (scope, grant.handle, grant.credential.seq),
        )

    def spend(self, grant: Grant) -> None:
        """End the one token of this grant."""
        self.connection.execute(
            "DELETE FROM access_tokens WHERE digest = ? AND credential = ?",
            (grant.handle, grant.credential.seq),
        )

    def has_token(self, credential: Credential, scope: str) -> bool:
        """Whether this credential has a valid token of exactly this scope."""
        row = self.connection.execute(
            "SELECT 1 FROM access_tokens WHERE credential = ? AND scope = ? AND expires_at > ?",
            (credential.seq, scope, self.now.timestamp()),
        ).fetchone()
        return row is not None

    def forget_tokens(self, credential: Credential, *, keeping: str | None = None) -> None:
        """End every access token of this credential, but for those of the scope `keeping`."""
        self.connection.execute(
            "DELETE FROM access_tokens WHERE credential = ? AND scope IS NOT ?", (credential.seq, keeping)
        )

    def count_write(self) -> None:
        """Count one state changing request that took effect."""
        self.connection.execute(
            "UPDATE tenants SET writes = writes + 1 WHERE vendor = ? AND tenant = ?",
            (self.vendor, self.tenant),
        )

    def put(self, kind: str, object_id: str, body: Mapping[str, object]) -> None:
        """Store an object of the data API, over an older one of that id."""
        self.connection.execute(
            "INSERT INTO objects (vendor, tenant, kind, id, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (vendor, tenant, kind, id) DO UPDATE SET body = excluded.body",
            (self.vendor, self.tenant, kind, object_id, json.dumps(body)),
        )

    def stored(self, kind: str, object_id: str) -> dict[str, object]:
        """The object with this id, or `Refusal` 404."""
        row = self.connection.execute(
            "SELECT body FROM objects WHERE vendor = ? AND tenant = ? AND kind = ? AND id = ?",
            (self.vendor, self.tenant, kind, object_id),
        ).fetchone()
        if row is None:
            raise not_found()
        return dict(json.loads(row["body"]))

    def remove(self, kind: str, object_id: str) -> None:
        """Delete an object of the data API, or `Refusal` 404."""
        removed = self.connection.execute(
            "DELETE FROM objects WHERE vendor = ? AND tenant = ? AND kind = ? AND id = ?",
            (self.vendor, self.tenant, kind, object_id),
        )
        if removed.rowcount != 1:
            raise not_found()

    def all_stored(self, kind: str) -> list[dict[str, object]]:
        """Every object of this kind, oldest first."""
        rows = self.connection.execute(
            "SELECT body FROM objects WHERE vendor = ? AND tenant = ? AND kind = ? ORDER BY seq",
            (self.vendor, self.tenant, kind),
        )
        return [dict(json.loads(row["body"])) for row in rows]


def _credential(row: sqlite3.Row) -> Credential:
    return Credential(
        seq=row["seq"],
        id=row["id"],
        label=row["label"],
        status=row["status"],
        created_at=row["created_at"],
        client_id=row["client_id"],
        secret=row["secret"],
        fields=json.loads(row["fields"]),
    )
