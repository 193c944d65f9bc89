"""Finding providers: ours, other people's, and those that cannot be used."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from provisioner.errors import ProviderError, UsageError
from provisioner.providers.registry import GROUP, load

PLUGIN = """
from msgspec.structs import replace
from provisioner.providers.paynet import PROVIDER as PAYNET

PROVIDER = replace(PAYNET, declaration=replace(PAYNET.declaration, name={name!r}, protocol={protocol}))
"""

BROKEN = {
    "crash": ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
    "exits": ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
    "syntax": ("def", "cannot be imported: SyntaxError: invalid syntax (acme_syntax.py, line 1)"),
    "empty": ("", "cannot be imported: AttributeError: module 'acme_empty' has no attribute 'PROVIDER'"),
    "thing": ("PROVIDER = object()", "is no provisioner.providers.adapter.Adapter"),
    "newer": (
        PLUGIN.format(name="newer", protocol=2),
        "speaks protocol 2 and this provision speaks 1: update provision",
    ),
    "older": (
        PLUGIN.format(name="older", protocol=0),
        "speaks protocol 0 and this provision speaks 1: update the plugin",
    ),
    "alias": (PLUGIN.format(name="paynet", protocol=1), "declares itself as 'paynet'"),
}


def _point(name: str, source: str, folder: Path) -> EntryPoint:
    (folder / f"acme_{name}.py").write_text(source)
    return EntryPoint(name, f"acme_{name}:PROVIDER", GROUP)


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_our_providers_are_found_as_everybody_elses() -> None:
    """What is installed is found by its entry point, and declares itself under that name."""
    registry = load()
    assert {} == registry.broken
    assert {"payspace", "paynet"} <= registry.declarations.keys()
    assert "PayNet" == registry.adapter("paynet").declaration.title


def test_a_plugin_is_found(plugins: Path) -> None:
    """Another vendor is another entry point."""
    registry = load([_point("acme", PLUGIN.format(name="acme", protocol=1), plugins)])
    assert ({}, ["acme"]) == (registry.broken, list(registry.declarations))


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_breaks_no_other(name: str, plugins: Path) -> None:
    """What is wrong with a plugin is told by its name; the others work."""
    source, wrong = BROKEN[name]
    fine = _point("acme", PLUGIN.format(name="acme", protocol=1), plugins)
    registry = load([_point(name, source, plugins), fine])
    assert {name: f"provider {name!r} from acme_{name}:PROVIDER {wrong}"} == registry.broken
    assert ["acme"] == list(registry.adapters)
    with pytest.raises(ProviderError, match=f"provider '{name}' from"):
        registry.adapter(name)


def test_two_plugins_of_one_name_are_none(plugins: Path) -> None:
    """Whichever comes first must not get the management token: a name that two claim is refused."""
    ours = EntryPoint("paynet", "provisioner.providers.paynet:PROVIDER", GROUP)
    theirs = EntryPoint("paynet", "acme_other:PROVIDER", GROUP)
    registry = load([ours, theirs])
    told = "provider 'paynet' comes from several plugins: "
    assert f"{told}acme_other:PROVIDER, {ours.value}" == registry.broken["paynet"]
    assert {} == load([ours, ours]).broken


def test_an_unknown_provider_is_told_with_the_known_ones() -> None:
    """A name that nobody has is an error of usage that lists the names there are."""
    with pytest.raises(UsageError, match="there is no provider 'paypace'") as caught:
        load().adapter("paypace")
    assert "payspace" in caught.value.remedy


def test_declarations_need_no_httpx() -> None:
    """Knowing what a provider can do loads none of the heavy libraries: `validate` reads declarations."""
    heavy = ("httpx", "jsonschema", "deepdiff", "sqlalchemy", "starlette")
    code = f"""
import sys
from provisioner.providers.registry import load
assert load().declarations
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
