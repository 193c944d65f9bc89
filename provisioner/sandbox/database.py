"""The one SQLite file under every twin: its tables, its permissions, and transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FIRST = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE tenants (
    vendor TEXT NOT NULL, tenant TEXT NOT NULL,
    token TEXT NOT NULL,
    writes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (vendor, tenant)
) WITHOUT ROWID;
CREATE TABLE credentials (
    seq INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL, tenant TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    client_id TEXT NOT NULL UNIQUE,
    secret TEXT,
    fields TEXT NOT NULL
);
CREATE INDEX live ON credentials (vendor, tenant, seq) WHERE ended_at IS NULL;
CREATE INDEX labelled ON credentials (vendor, tenant, label, seq) WHERE ended_at IS NULL;
CREATE TABLE access_tokens (
    digest TEXT PRIMARY KEY,
    credential INTEGER NOT NULL REFERENCES credentials (seq),
    scope TEXT NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX issued ON access_tokens (credential);
CREATE INDEX expiring ON access_tokens (expires_at);
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL, tenant TEXT NOT NULL, kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (vendor, tenant, kind, id)
);
"""
_FAULTS = """
CREATE TABLE faults (
    seq INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL, tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    operation TEXT NOT NULL,
    seconds REAL,
    times INTEGER NOT NULL,
    until TEXT,
    past TEXT NOT NULL
);
"""
_COPIED = """
CREATE TABLE credentials_anew (
    seq INTEGER PRIMARY KEY,
    vendor TEXT NOT NULL, tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    label TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    client_id TEXT NOT NULL,
    secret TEXT,
    fields TEXT NOT NULL,
    copied INTEGER NOT NULL DEFAULT 0
);
INSERT INTO credentials_anew
    (seq, vendor, tenant, id, label, status, created_at, ended_at, client_id, secret, fields)
    SELECT seq, vendor, tenant, id, label, status, created_at, ended_at, client_id, secret, fields
    FROM credentials;
DROP TABLE credentials;
ALTER TABLE credentials_anew RENAME TO credentials;
CREATE INDEX live ON credentials (vendor, tenant, seq) WHERE ended_at IS NULL;
CREATE INDEX labelled ON credentials (vendor, tenant, label, seq) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX one_id ON credentials (id) WHERE copied = 0;
CREATE UNIQUE INDEX one_client ON credentials (client_id) WHERE copied = 0;
CREATE UNIQUE INDEX one_copy ON credentials (vendor, tenant, id) WHERE ended_at IS NULL;
CREATE TABLE access_tokens_anew (
    digest TEXT NOT NULL,
    credential INTEGER NOT NULL REFERENCES credentials (seq),
    scope TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (digest, credential)
) WITHOUT ROWID;
INSERT INTO access_tokens_anew SELECT * FROM access_tokens;
DROP TABLE access_tokens;
ALTER TABLE access_tokens_anew RENAME TO access_tokens;
CREATE INDEX issued ON access_tokens (credential);
CREATE INDEX expiring ON access_tokens (expires_at);
"""
"""A refresh copies one tenant over another: what is unique elsewhere, ids and tokens, then stands in both."""
_CLIENTS = """
CREATE INDEX clients ON credentials (vendor, tenant, client_id) WHERE ended_at IS NULL;
"""
"""Who asks for a token is looked up by its client id."""
_VERSIONS = (_FIRST, _FAULTS, _COPIED, _CLIENTS)
"""What each version of the tables added; `user_version` counts them."""


class Database:
    """One connection to `sandbox.db`, usable from several threads; other processes may hold their own.

    A transaction is a vendor's whole effect: a process killed within one leaves nothing of it behind. Losing
    the last effects with the power is accepted (`synchronous=OFF`): a twin is not where the truth is kept.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        path = directory / "sandbox.db"
        # SQLite gives its side files the mode of the main one, so that one has to exist, private, before.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._prepare(path)

    def _prepare(self, path: Path) -> None:
        with self.transaction() as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found > len(_VERSIONS):
                raise ValueError(
                    f"{path} was made by another version of the sandbox; delete it and start anew"
                )
            for added in _VERSIONS[found:]:
                for statement in added.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version={len(_VERSIONS):d}")

    @contextmanager
    def transaction(self, *, writing: bool = True) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing; `writing=False` reads one moment without waiting for writers."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection; the data stays."""
        with self._lock:
            self._connection.close()
