"""What the tests of secrets share: a parcel to deliver."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from provisioner.core.delivery import Parcel
from provisioner.core.model import Address
from provisioner.core.secret import Secret

MakeParcel = Callable[..., Parcel]


@pytest.fixture(scope="session")
def parcel() -> MakeParcel:
    """Makes a parcel of test/payroll; values by the consumer's names."""

    def make(values: Mapping[str, str], *, address: str = "test/payroll", generation: int = 1) -> Parcel:
        names = {name: f"part_{index}" for index, name in enumerate(values)}
        secret = Secret({names[name]: value for name, value in values.items()})
        where = Address(*address.split("/", 1))  # also one that nobody could write
        return Parcel(where, "payspace", generation, f"op-{generation}", names, secret)

    return make
