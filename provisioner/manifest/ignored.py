"""`ignore_drift`: the fields whose change at the vendor is left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from provisioner.core.model import JsonObject
from provisioner.manifest.fields import Vendor
from provisioner.manifest.layers import Layer
from provisioner.manifest.problems import unknown
from provisioner.manifest.shape import Flaw
from provisioner.manifest.words import VENDOR_FIELDS

KEY: Final = "ignore_drift"


def check(vendor: Vendor, layers: Sequence[Layer]) -> Iterator[Flaw]:
    """Every name that is no field of this vendor's.

    What `defaults` says for the credentials of all vendors has to be a field of some vendor's only.
    """
    layer = next((layer for layer in reversed(layers) if KEY in layer.values), None)
    if layer is None:
        return
    of_some = VENDOR_FIELDS if layer.path == ("defaults",) else ()
    for index, name in enumerate(layer.values[KEY]):
        if name is None or name in vendor.paths or name.partition(".")[0] in of_some:
            continue  # None stands for what has a flaw already
        yield Flaw((KEY, index), unknown("field", name, vendor.paths, where=vendor.name))


def local(vendor: Vendor, merged: JsonObject) -> dict[str, list[str]]:
    """The key as the plan goes by it: the vendor's own fields, in order; absent where there is none."""
    if KEY not in merged:
        return {}
    names = sorted(vendor.paths.intersection(merged[KEY]))
    return {KEY: names} if names else {}
