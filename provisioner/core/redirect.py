"""An operation that could not deliver goes on with the deliveries that are declared now.

Else a sink that is gone for good would block an address for ever: what is open comes before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from provisioner.core.diff import differences
from provisioner.core.journal import Action, Operation, Phase
from provisioner.core.making import desired_to_json
from provisioner.core.model import Desired, JsonObject
from provisioner.core.plan import Change, FieldChange
from provisioner.core.situation import Case

_MADE = frozenset({Phase.SENT, Phase.CAPTURED, Phase.VERIFIED})

UNDELIVERED: Mapping[Action, frozenset[Phase]] = {
    Action.CREATE: _MADE,
    Action.REPLACE: _MADE,
    Action.RENEW: _MADE,
    Action.UPDATE: frozenset({Phase.SENT, Phase.VERIFIED}),
    Action.IMPORT: frozenset({Phase.CUT_OVER}),
}
"""In which phases an operation has its deliveries still before it."""

GOES_ON = frozenset({Action.RECOVER, Action.ACTIVATE})


def redirected(case: Case, operation: Operation, change: Change) -> Change:
    """The change that goes on with an operation, with what only we keep as declared now.

    What the vendor holds stays as it was asked for: an edit of that is a change of its own, afterwards.
    """
    begun = operation.desired.get("desired")
    if begun is None or case.desired is None or case.renamed_from or change.action not in GOES_ON:
        return change
    if operation.phase not in UNDELIVERED.get(operation.action, ()) or not _delivers(operation):
        return change
    if not _same_at_the_vendor(case, case.desired, operation, begun):
        return change
    found = differences(begun["local"], case.desired.local)
    if all(difference.path != "deliver" for difference in found):
        return change
    return replace(
        change,
        desired=desired_to_json(case.desired),
        fields=tuple(FieldChange(one.path, one.before, one.after) for one in found),
    )


def _delivers(operation: Operation) -> bool:
    """An update delivers only where its deliveries are what it changes."""
    changed = operation.desired.get("fields") or ()
    return operation.action is not Action.UPDATE or any(field["path"] == "deliver" for field in changed)


def _same_at_the_vendor(case: Case, desired: Desired, operation: Operation, begun: JsonObject) -> bool:
    if (desired.provider, desired.via, desired.user) != (operation.provider, operation.via, begun["user"]):
        return False
    return not differences(begun["fields"], desired.fields, sets=case.rules.sets)
