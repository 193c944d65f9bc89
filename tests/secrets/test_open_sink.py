from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError
from provisioner.secrets.sinks import SINKS, open_sink

OPTIONS = {
    "dotenv": {"path": "app.env"},
    "exec": {"command": ["true"]},
    "vault": {"endpoint": "https://bao.example.com", "path": "x", "auth": {"token": {"env": "UNSET_TOKEN"}}},
}


def test_every_type_can_be_opened(tmp_path: Path) -> None:
    """Each type of sink opens from its configuration, and opening touches nothing."""
    for name in SINKS:
        open_sink(SinkConfig("some", name, OPTIONS[name]), tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_opened_sink_delivers(tmp_path: Path, parcel: Callable[..., Parcel]) -> None:
    """What was opened delivers."""
    asyncio.run(
        open_sink(SinkConfig("some", "dotenv", OPTIONS["dotenv"]), tmp_path).deliver(parcel({"KEY": "1"}))
    )
    assert "KEY=1\n" == (tmp_path / "app.env").read_text()


def test_unknown_type(tmp_path: Path) -> None:
    """A type that is not known is named, with those that are."""
    with pytest.raises(SinkError, match="sink some: provision knows no sink of type ftp") as caught:
        open_sink(SinkConfig("some", "ftp", {}), tmp_path)
    assert "use one of dotenv, exec, vault" == caught.value.remedy
