"""How each vendor's credentials prove themselves, and with whose authority an operation is called."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from typing import Any

from twin_harness import Contract, Proof, Twin

#: Where a vendor lists its credentials.
LISTS = {
    "payspace": "api/v1/credentials",
    "paynet": "developer/v1/keys",
    "paytia": "admin/v1/api-keys",
    "timeclock": "admin/v1/api-access",
    "fpay": "authAccess",
}
#: Where a credential is made, and of what.
MAKING: dict[str, tuple[str, dict[str, Any]]] = {
    "payspace": (LISTS["payspace"], {"label": "x", "scope": "full-access", "user": "svc.payroll"}),
    "paynet": (LISTS["paynet"], {"label": "x", "scopes": ["rpp:merchant"]}),
    "paytia": (LISTS["paytia"], {"label": "x"}),
    "timeclock": ("admin/v1/users/17/api-access", {"label": "x"}),
}


def security(contract: Contract, method: str, path: str) -> list[str]:
    """The names of the proofs that the contract asks for here; none where nobody's authority is needed."""
    default = contract.document["security"]
    declared = contract.document["paths"]["/" + path][method.lower()].get("security", default)
    return [name for entry in declared for name in entry]


def usable(twin: Twin) -> dict[str, Any]:
    """A credential that may do everything at its vendor."""
    path, body = MAKING[twin.vendor]
    return twin.call("POST", path, json=body).json()


def paynet_token(twin: Twin) -> str:
    made = usable(twin)
    if twin.tenant == "production":
        twin.sandbox.approve("paynet", made["id"], "approved")
    return twin.access_token(made)


def paytia_headers(twin: Twin) -> dict[str, str]:
    made = usable(twin)
    tokens = twin.call("POST", f"{LISTS['paytia']}/{made['id']}/tokens").json()
    return {"x-api-key": made["api_key"], "access-token": tokens["access_token"]}


def timeclock_header(twin: Twin) -> str:
    usable(twin)  # refused where it is granted already, as there can be one for each user only
    key = twin.call("GET", f"{MAKING['timeclock'][0]}/key").json()["key"]
    moment = int(twin.sandbox.now().timestamp())
    return f"17:{moment}:{sha1(f'{moment}{key}'.encode()).hexdigest()}"


#: How a credential of the vendor proves itself. FPay manages credentials with a credential like any other.
PROOFS: dict[str, Callable[[Twin], Proof]] = {
    "payspace": lambda twin: twin.access_token(usable(twin)),
    "paynet": paynet_token,
    "paytia": paytia_headers,
    "timeclock": timeclock_header,
    "fpay": lambda twin: twin.sandbox.token("fpay", twin.tenant),
}


def authority(twin: Twin, method: str, path: str) -> Proof:
    """What the contract asks for here."""
    names = security(twin.contract, method, path)
    if names and names != ["management"]:
        return PROOFS[twin.vendor](twin)
    return twin.sandbox.token(twin.vendor, twin.tenant) if names else None
