"""The twins there are: another vendor is another file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.sandbox.dispatch import Vendor
from provisioner.sandbox.fpay import FPAY
from provisioner.sandbox.paynet import PAYNET
from provisioner.sandbox.payspace import PAYSPACE
from provisioner.sandbox.paytia import PAYTIA
from provisioner.sandbox.timeclock import TIMECLOCK

VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor for vendor in (PAYSPACE, PAYNET, PAYTIA, TIMECLOCK, FPAY)
}
