"""Handoffs: which steps of an action only a person can do, and what that person is told."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from provisioner.core.capabilities import Capabilities, Declaration, Verb
from provisioner.core.journal import Action
from provisioner.core.model import JsonObject
from provisioner.core.recovery import in_place
from provisioner.core.secret import Secret


class Answer(Struct, frozen=True):
    """What a person brought back: the asked-for values; empty where there was only something to confirm."""

    values: Secret
    by: str
    """Who did it, for the audit."""


def verbs_of(action: Action, capabilities: Capabilities) -> tuple[Verb, ...]:
    """The steps of an action that are a person's, in their order."""
    if in_place(action, capabilities):
        wanted: tuple[Verb, ...] = (Verb.RENEW,)
    else:
        wanted = STEPS_OF.get(action, ())
    if Verb.CREATE in wanted and Verb.CREATE in capabilities.portal:
        return (Verb.CREATE,)  # whoever makes it in the portal sees its secret there
    return tuple(verb for verb in wanted if verb in capabilities.portal)


STEPS_OF: Mapping[Action, tuple[Verb, ...]] = {
    Action.CREATE: (Verb.CREATE, Verb.CAPTURE),
    Action.REPLACE: (Verb.CREATE, Verb.CAPTURE),
    Action.RENEW: (Verb.CREATE, Verb.CAPTURE),
    Action.UPDATE: (Verb.UPDATE,),
    Action.REVOKE: (Verb.REVOKE,),
    Action.RETIRE: (Verb.REVOKE,),
}
"""What each action takes at the vendor, in order."""


def announce(declaration: Declaration, verb: Verb) -> str:
    """One line for the plan: the verb and the screen's path."""
    return f"{verb}: {declaration.screens[verb].path}"


def instructions(
    declaration: Declaration, verb: Verb, known: JsonObject, fields: JsonObject
) -> tuple[str, ...]:
    """What to do on the screen: the vendor's steps, with the values to set where a step says `{fields}`.

    `known` fills the other names of the steps, such as `{remote_id}` and `{tag}`.
    """
    lines: list[str] = []
    for step in declaration.screens[verb].steps:
        if step == "{fields}":
            lines.extend(_settings(fields))
        else:
            lines.append(step.format_map(_Known(known)))
    return tuple(lines)


class _Known(dict[str, object]):
    """Leaves a name that is not known as it stands, so that a step is never lost to a missing value."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _settings(fields: JsonObject) -> list[str]:
    lines = []
    for path, value in sorted(_flat(fields).items()):
        if value is None:
            lines.append(f"Clear {path}.")
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        lines.append(f"Set {path} to: {shown}")
    return lines


def _flat(fields: JsonObject) -> dict[str, object]:
    nested: JsonObject = fields.get("settings", {})
    return {k: v for k, v in fields.items() if k != "settings"} | dict(nested)
