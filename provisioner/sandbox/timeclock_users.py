"""TimeClock's users: each has at most one API access (TC1) and at most one PIN (TC6)."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.sandbox.replies import not_found
from provisioner.sandbox.tenancy import Credential, Tenancy

#: id: (name, active)
USERS: Mapping[int, tuple[str, bool]] = {
    17: ("Payroll bot", True),
    18: ("Front desk", True),
    19: ("Workshop", True),
    20: ("Warehouse", True),
    21: ("Former kiosk", False),
}
#: id: name
PROJECTS: Mapping[int, str] = {1: "Maintenance", 2: "Warehouse"}


def seed(data: Tenancy) -> None:
    """The users and projects that a new tenant starts with."""
    for user_id, (name, active) in USERS.items():
        user = {"id": user_id, "name": name, "email": None, "active": active, "access": None, "pin": None}
        data.put("user", str(user_id), user)
    for project_id, name in PROJECTS.items():
        data.put("project", str(project_id), {"id": project_id, "name": name})


def user_of(data: Tenancy, user_id: str) -> dict[str, object]:
    """The user with this id, or `Refusal` 404."""
    return data.stored("user", user_id)


def access_of(data: Tenancy, user_id: str) -> Credential:
    """The API access of this user, or `Refusal` 404."""
    access = user_of(data, user_id)["access"]
    if access is None:
        raise not_found()
    return data.get(str(access))


def link(data: Tenancy, user: Mapping[str, object], **changes: str | None) -> None:
    """Keep another `access` or `pin` with this user."""
    data.put("user", str(user["id"]), {**user, **changes})


def show_user(user: Mapping[str, object]) -> dict[str, object]:
    """A user as the management API shows it: whether there is an access and a PIN, not which."""
    shown = {name: user[name] for name in ("id", "name", "active")}
    return {**shown, "api_access": user["access"] is not None, "pin": user["pin"] is not None}
