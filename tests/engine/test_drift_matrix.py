"""Each finding at each vendor (tests/drift): what somebody does there → its one change; the others stay.

A finding that cannot be at a vendor names the rule, and the vendor refuses whoever tries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from drift_vendor import FOLDER, Vendor, in_short, read

from provisioner.core.capabilities import Observe
from provisioner.core.drift import Kind
from provisioner.core.model import Via
from provisioner.providers import registry
from provisioner.sandbox.registry import VENDORS

NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
DECLARATIONS = registry.load().declarations
CELLS = [(name, finding) for name in NAMES for finding in read(name)["findings"]]


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Vendor]]:
    """The worlds, each made when first asked for: making one takes longer than a finding."""
    made: dict[str, Vendor] = {}
    yield made
    for one in made.values():
        one.world.sandbox.close()


@pytest.fixture
def vendor(name: str, vendors: dict[str, Vendor], tmp_path_factory: pytest.TempPathFactory) -> Vendor:
    """The world of one vendor, with nothing to do."""
    if name not in vendors:
        vendors[name] = Vendor(tmp_path_factory.mktemp(name), name)
    return vendors[name]


@pytest.mark.parametrize(("name", "finding"), CELLS)
def test_a_finding(vendor: Vendor, name: str, finding: str) -> None:
    """One credential that drifted is the plan's one change; after the apply there is none; no other moved.

    What its consumer holds works then.
    """
    row, address = vendor.case["findings"][finding], vendor.address(finding)
    before = vendor.others(address)
    if "never" in row:
        _refused(vendor, row, address)
        return
    statuses = vendor.behind_our_back(address, row["act"])
    assert all(status < 400 for status in statuses)
    made, found = vendor.look()
    now = f"{vendor.world.now():%Y-%m-%d %H:%M} UTC"
    expected = {address: row["plan"].replace("{now}", now)} if "plan" in row else {}
    assert expected == in_short(made)
    assert len(vendor.world.declared) - len(expected) == made.unchanged
    assert tuple(row.get("unmanaged", ())) == made.unmanaged
    kinds = [(address, row.get("kind", finding))] if expected else []
    assert kinds == [(str(one.address), one.finding.kind.value) for one in found.found]
    vendor.settle()
    if "until" in row:
        assert [address] == list(in_short(vendor.look()[0]))
        vendor.behind_our_back(address, row["until"])
        vendor.settle()
    made, found = vendor.look()
    assert ({}, ()) == (in_short(made), found.found)
    assert before == vendor.others(address)
    assert vendor.works(address)


def _refused(vendor: Vendor, row: Mapping[str, Any], address: str) -> None:
    declaration = DECLARATIONS[vendor.name]
    assert row["never"] in {rule.id for rule in declaration.rules}
    for capability, value in row.get("capability", {}).items():
        found = getattr(declaration.capabilities[Via.API], capability)
        assert value == (sorted(found) if isinstance(found, frozenset) else found)
    statuses = vendor.behind_our_back(address, row["refused"])
    assert all(status in {404, 405, 422} for status in statuses), statuses
    assert {} == in_short(vendor.look()[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_vendors_file_tells_of_every_finding(name: str) -> None:
    """No finding is left out at any vendor: it is planned for, or it cannot be."""
    rows = read(name)["findings"]
    assert {*Kind, "unmanaged", "ignored", "emptied"} <= {
        row.get("kind", key) for key, row in rows.items()
    } | set(rows)


def test_every_vendor_has_a_file() -> None:
    """The matrix has a row for each vendor that ships a twin."""
    assert set(NAMES) == set(VENDORS)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_found_in_a_portal(name: str) -> None:
    """Where only people can look nothing is ever found, and a plan says that it did not look."""
    assert Observe.NONE is DECLARATIONS[name].capabilities[Via.PORTAL].observe
