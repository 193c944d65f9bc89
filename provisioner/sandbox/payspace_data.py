"""The part of PaySpace's data API that proves what a credential may do: PS3, PS4 and PS5."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from provisioner.sandbox.dispatch import Access, Call, Operation
from provisioner.sandbox.pdf import one_page
from provisioner.sandbox.replies import Refusal, Reply
from provisioner.sandbox.strict import Field, Text
from provisioner.sandbox.tenancy import Tenancy, timestamp

MASK = "*****"

#: username: (active, security role, what the role denies)
USERS: Mapping[str, tuple[bool, str, tuple[str, ...]]] = {
    "svc.payroll": (True, "Payroll integration", ()),
    "svc.reports": (True, "Reports without payslips", ("payslips",)),
    "svc.ledger": (True, "General ledger", ("pay_rates",)),
    "svc.auditor": (True, "Auditor", ("employees",)),
    "svc.onboarding": (True, "Onboarding", ("payslips", "pay_rates")),
    "svc.former": (False, "Payroll integration", ()),
}
#: employee: (gross, net, hourly rate)
FIGURES: Mapping[str, tuple[str, str, str]] = {
    "E-1001": ("41250.00", "30118.25", "238.00"),
    "E-1002": ("28900.00", "22640.80", "166.73"),
}
PERMISSIONS = ("payslips", "pay_rates", "employees")

NEW_EMPLOYEE = {"name": Field(Text(), required=True)}
PAYSLIP_CHANGES = {"note": Field(Text(500, shortest=0), required=True, nullable=True)}


def seed(data: Tenancy) -> None:
    """The users, payslips and pay rates that a new tenant starts with."""
    for username, (active, role, denied) in USERS.items():
        permissions = {name: name not in denied for name in PERMISSIONS}
        profile = {"username": username, "active": active, "role": role, "permissions": permissions}
        data.put("user", username, profile)
    for employee, (gross, net, hourly) in FIGURES.items():
        slip = {"employee": employee, "period": "2026-10", "gross": gross, "net": net, "note": None}
        data.put("payslip", f"{employee}-2026-10", {"id": f"{employee}-2026-10", **slip})
        data.put("pay-rate", employee, {"employee": employee, "hourly": hourly})


def user_profile(data: Tenancy, username: str) -> dict[str, object]:
    """The profile of this user; empty if there is none."""
    try:
        return data.stored("user", username)
    except Refusal:
        return {}


def _permit(call: Call, permission: str, *, writing: bool = False) -> None:
    """PS3: writing takes full access. PS4: the role of the linked user binds reading and writing."""
    fields = call.bearer.credential.fields
    if writing and fields["scope"] != "full-access":
        raise Refusal(403, "creating or updating data takes full-access")
    if fields["user"] is None:
        return
    allowed = user_profile(call.data, str(fields["user"])).get("permissions")
    if not isinstance(allowed, dict) or not allowed.get(permission):
        raise Refusal(403, f"the security role of the linked user denies {permission}")


def _masked(call: Call, body: dict[str, object], *figures: str) -> dict[str, object]:
    if not call.bearer.credential.fields["development_mode"]:
        return body
    return {name: MASK if name in figures else value for name, value in body.items()}


def _audit(call: Call, action: str) -> None:
    credential = call.bearer.credential
    entry = {
        "at": timestamp(call.data.now),
        "username": credential.fields["user"],
        "credential": credential.id,
        "action": action,
    }
    call.data.put("audit", secrets.token_hex(12), entry)


def _payslips(call: Call) -> Reply:
    _permit(call, "payslips")
    return Reply(200, [_masked(call, slip, "gross", "net") for slip in call.data.all_stored("payslip")])


def _update_payslip(call: Call) -> Reply:
    _permit(call, "payslips", writing=True)
    slip = {**call.data.stored("payslip", call.path["id"]), "note": call.body["note"]}
    call.data.put("payslip", call.path["id"], slip)
    _audit(call, f"updated payslip {slip['id']}")
    return Reply(200, _masked(call, slip, "gross", "net"))


def _payslip_pdf(call: Call) -> Reply:
    _permit(call, "payslips")
    slip = call.data.stored("payslip", call.path["id"])
    lines = [f"{name}: {slip[name]}" for name in ("employee", "period", "gross", "net")]
    return Reply(200, one_page(lines), "application/pdf")


def _pay_rates(call: Call) -> Reply:
    _permit(call, "pay_rates")
    return Reply(200, [_masked(call, rate, "hourly") for rate in call.data.all_stored("pay-rate")])


def _create_employee(call: Call) -> Reply:
    _permit(call, "employees", writing=True)
    employee = {"id": secrets.token_hex(6), "name": call.body["name"]}
    call.data.put("employee", str(employee["id"]), employee)
    _audit(call, f"created employee {employee['id']}")
    return Reply(201, employee)


def _audit_trail(call: Call) -> Reply:
    return Reply(200, call.data.all_stored("audit"))


OPERATIONS = (
    Operation("GET", "api/v1/audit-trail", _audit_trail),
    Operation("GET", "api/v1/payslips", _payslips, Access.BEARER),
    Operation("PATCH", "api/v1/payslips/{id}", _update_payslip, Access.BEARER, PAYSLIP_CHANGES),
    Operation("GET", "api/v1/payslips/{id}/pdf", _payslip_pdf, Access.BEARER),
    Operation("GET", "api/v1/pay-rates", _pay_rates, Access.BEARER),
    Operation("POST", "api/v1/employees", _create_employee, Access.BEARER, NEW_EMPLOYEE),
)
