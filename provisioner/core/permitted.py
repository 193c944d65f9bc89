"""What a vendor would refuse in the middle of an apply, known beforehand: it waits, and says for what.

Because of the linked user (PS3, PS4, TC8), or because of our own credential there (FP3). Only the credential
that it is about waits, and only for what its vendor has to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from provisioner.core import authority, users
from provisioner.core.journal import Action
from provisioner.core.making import postpone
from provisioner.core.model import Desired
from provisioner.core.plan import Change, Reason
from provisioner.core.recovery import MAKES
from provisioner.core.situation import Case


def permitted(case: Case, change: Change) -> Change:
    """The change, with what is to be known of its user; or a wait in its place.

    What is compromised does not wait: its old secret ends whatever becomes of a new one.
    """
    desired = case.desired
    if desired is None or not _is_the_vendors(case, desired, change):
        return change
    found = list(_refusals(case, desired, change))
    if not found:
        return replace(change, notes=(*change.notes, *_role(case, desired, change)))
    if change.compromised:
        told = (
            f"the old secret ends all the same, and a new one may be refused: {why.text}" for why in found
        )
        return replace(change, notes=(*change.notes, *told))
    waits = postpone(case, desired, found[0])
    return replace(waits, reasons=(*change.reasons, *found), previously=change.previously)


def _is_the_vendors(case: Case, desired: Desired, change: Change) -> bool:
    """Whether the vendor is asked to make or to change something."""
    if change.action in MAKES:
        return True
    if change.action is not Action.UPDATE:
        return False
    ours = desired.local.keys() | (case.record.local.keys() if case.record else set()) | {"name"}
    return any(field.path not in ours for field in change.fields)


def _refusals(case: Case, desired: Desired, change: Change) -> Iterator[Reason]:
    for code, why in REFUSALS.items():
        if text := why(case, desired, change):
            yield Reason(code, text)


def _for_its_user(case: Case, desired: Desired, change: Change) -> str:
    if case.users is None:
        return ""
    return users.flaw(desired.provider, desired.fields, case.users, case.rules.includes)


def _for_us(case: Case, desired: Desired, change: Change) -> str:
    if case.authority is None:
        return ""
    gives = change.action in MAKES or any(field.path == "scopes" for field in change.fields)
    asked = desired.fields.get("scopes", ()) if gives else ()
    return authority.flaw(desired.provider, case.authority, asked, case.rules.includes)


REFUSALS: Mapping[str, Callable[[Case, Desired, Change], str]] = {
    "user": _for_its_user,
    "authority": _for_us,
}
"""What a vendor would refuse a change for, by the code of the reason."""


def _role(case: Case, desired: Desired, change: Change) -> Iterator[str]:
    """What the role of a user who is linked now denies: nothing else would show that before it is missed."""
    links = change.action is Action.CREATE or any(field.path == "user" for field in change.fields)
    if links and case.users is not None and (denied := users.limits(desired.fields, case.users)):
        yield denied
