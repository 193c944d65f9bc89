"""Laws of reading manifests that hold for any input."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from declared import DECLARATIONS
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from provisioner.core.model import Desired, Source
from provisioner.errors import ManifestInvalid
from provisioner.manifest import load
from provisioner.manifest.schemas import schema

BASE = (Path(__file__).parent.parent / "problems" / "base.provision.yaml").read_text()

NAMES = st.sampled_from(
    sorted(
        {
            "test",
            "production",
            "payspace",
            "paynet",
            "listed",
            "a",
            "b",
            "app-env",
            "read-only",
            "payroll-bot",
        }
        | set(schema("project")["properties"])
        | set(schema("credentials")["$defs"]["credential"]["properties"])
    )
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5000), st.floats(-9, 9), NAMES, st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def _load(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        try:
            load(Path(folder), DECLARATIONS)
        except ManifestInvalid as invalid:
            for line in invalid.problems:
                file, number, column, words = line.split(":", 3)
                assert file in files and int(number) > 0 and int(column) > 0 and words.startswith(" ")
                assert "\n" not in line and "Traceback" not in line


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["provision.yaml", "credentials/a.yaml"]))
def test_any_bytes(data: bytes, name: str) -> None:
    """Whatever bytes a manifest holds, the answer is a project or problems with their places."""
    _load({"provision.yaml": BASE.encode(), name: data})


@settings(max_examples=120, deadline=None)
@given(st.text(alphabet=" \n\t:-[]{}&*!|>%@`'\"#,?~<=ab0:é\x85\u2028", max_size=60))
def test_any_text_of_yaml_signs(text: str) -> None:
    """Whatever YAML's own signs spell, the answer is a project or problems with their places."""
    _load({"provision.yaml": BASE.encode(), "credentials/a.yaml": text.encode()})


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.booleans())
def test_any_values(value: dict[str, Any], whole: bool) -> None:
    """Whatever values stand under whatever keys, the answer is a project or problems with their places."""
    credentials = {
        "credentials": {"a": {"provider": "payspace", "owner": "o", "environments": ["test"], **value}}
    }
    manifest = {**yaml.safe_load(BASE), **value} if whole else yaml.safe_load(BASE)
    _load(
        {
            "provision.yaml": yaml.safe_dump(manifest, allow_unicode=True).encode(),
            "credentials/a.yaml": yaml.safe_dump(credentials, allow_unicode=True).encode(),
        }
    )


def _credentials(number: int) -> dict[str, Any]:
    return {
        f"credential-{index}": {
            "provider": "listed" if index % 2 else "payspace",
            "owner": f"team-{index}",
            **({"allow_ips": ["203.0.113.0/28", "198.51.100.7"]} if index % 2 else {"scopes": ["read-only"]}),
            "labels": {"a": "1", "b": "2"},
            "environments": {"test": {"description": "d"}, "production": {}},
            "deliver": ["app-env"],
        }
        for index in range(number)
    }


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = chance.sample(list(value), len(value))
        return {key: _shuffled(value[key], chance) for key in keys}
    if isinstance(value, list) and "203.0.113.0/28" in value:
        return chance.sample(value, len(value))
    return value


def _desired(credentials: dict[str, Any], chance: random.Random) -> tuple[Desired, ...]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "credentials").mkdir()
        (root / "provision.yaml").write_text(
            yaml.safe_dump(_shuffled(yaml.safe_load(BASE), chance), sort_keys=False)
        )
        for name, credential in _shuffled(credentials, chance).items():
            text = yaml.safe_dump({"credentials": {name: credential}}, sort_keys=False)
            (root / "credentials" / f"{chance.random()}.yaml").write_text(text)
        found = load(root, DECLARATIONS).desired
    return tuple(replace(one, source=Source("", 0)) for one in found)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(), st.integers())
def test_order_changes_nothing(number: int, one: int, other: int) -> None:
    """The order of files, credentials, keys and addresses changes nothing in what is desired."""
    credentials = _credentials(number)
    first, second = random.Random(one), random.Random(other)
    assert _desired(credentials, first) == _desired(credentials, second)


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "{a: ", "[[{", "&a [", "!a ", "'", '"', "|", "* "])
def test_long_runs_of_one_sign_end_soon(opening: str) -> None:
    """A million characters of one sign are refused, and neither hang nor exhaust the stack."""
    _load(
        {"provision.yaml": BASE.encode(), "credentials/a.yaml": (opening * (10**6 // len(opening))).encode()}
    )
