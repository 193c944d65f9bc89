"""What a vendor can do, as data: the planner and the engine decide by it, never by a vendor's name.

Also how a field may change: read from the provider's JSON Schema, where `x-on-change` says what a change
of the field takes and `x-set: true` that its order means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from provisioner.core.model import JsonObject, JsonValue, Kind, Via


class SecretAccess(StrEnum):
    """Whether a lost secret can be read again."""

    ONCE = "once"
    RETRIEVABLE = "retrievable"
    PORTAL = "portal"  # a person must fetch it


class Identity(StrEnum):
    """How an interrupted create is found again."""

    UNIQUE_TAG = "unique_tag"  # the vendor refuses a second object with our tag
    LABEL = "label"  # a text we may write; the vendor does not keep it unique
    USER = "user"  # there can be only one for each linked user
    NONE = "none"


class Renewal(StrEnum):
    """Whether old and new secret can live side by side."""

    IN_PLACE = "in_place"
    OVERLAP = "overlap"


class Observe(StrEnum):
    """What the vendor can be asked."""

    LIST = "list"
    GET = "get"
    NONE = "none"


class Sessions(StrEnum):
    """What happens to tokens that were issued before their credential ended."""

    DIE = "die"
    OUTLIVE = "outlive"


class Verb(StrEnum):
    """What a provider is asked to do."""

    OBSERVE = "observe"
    FIND = "find"
    CREATE = "create"
    CAPTURE = "capture"
    UPDATE = "update"
    RENEW = "renew"
    REVOKE = "revoke"
    VERIFY = "verify"
    USERS = "users"


class Capabilities(Struct, frozen=True):
    """What one vendor can do, reached in one way."""

    secret: SecretAccess
    identity: Identity
    renew: Renewal
    observe: Observe
    max_live: int | None = None
    """How many generations may live at once; None for no limit that we know of."""
    client_secret_choice: bool = False
    """Whether we may choose the secret, and so seal it before the call (secret origin `client`)."""
    portal: frozenset[Verb] = frozenset()
    """The verbs that only a person in the portal can do: each is a handoff."""
    approval: frozenset[Kind] = frozenset()
    """The kinds of environment where the vendor must approve a credential before it works."""
    survives_refresh: bool = False
    """Whether test credentials outlive a copy of production over test."""
    consistency: float = 0.0
    """Seconds for which a new or dead key may still look otherwise."""
    sessions: Sessions = Sessions.DIE
    session_lifetime: float = 0.0
    """Seconds for which a session may go on, where sessions outlive their credential."""
    authority: bool = False
    """Whether the vendor says what our own management credential is and may do, so that a plan can tell."""


class OnChange(StrEnum):
    """What a change of a field takes."""

    UPDATE = "update"
    REPLACE = "replace"
    RENEW = "renew"


class Width(Struct, frozen=True):
    """One value of a setting that says how much a credential may do."""

    value: JsonValue
    allows: str
    """What it allows, in words."""
    unset: bool = False
    """Whether the vendor takes this value where none is declared (`default` of the field)."""


class FieldRules(Struct, frozen=True):
    """How each field of a provider may change and how it is compared. Settings are `settings.NAME`."""

    on_change: Mapping[str, OnChange]
    sets: frozenset[str]
    includes: Mapping[str, Sequence[str]]
    """What each scope includes besides itself (`x-includes` of the field `scopes`)."""
    widths: Mapping[str, tuple[Width, ...]] = field(default_factory=dict)
    """The values of a field that bear on access, the narrowest first (`x-width`)."""


def field_rules(schema: JsonObject) -> FieldRules:
    """Read the rules out of a provider's JSON Schema.

    Raises ValueError for a field without `x-on-change`: what a change takes is never guessed.
    """
    on_change: dict[str, OnChange] = {}
    sets: set[str] = set()
    widths: dict[str, tuple[Width, ...]] = {}
    for path, field_schema in _fields(schema):
        if "x-on-change" not in field_schema:
            raise ValueError(
                f"the provider schema does not say what a change of {path!r} takes (x-on-change)"
            )
        on_change[path] = OnChange(field_schema["x-on-change"])
        if field_schema.get("x-set"):
            sets.add(path)
        if "x-width" in field_schema:
            widths[path] = _widths(field_schema)
    scopes: JsonObject = schema.get("properties", {}).get("scopes", {})
    return FieldRules(on_change, frozenset(sets), scopes.get("x-includes", {}), widths)


def _widths(field_schema: JsonObject) -> tuple[Width, ...]:
    unset = field_schema.get("default")
    return tuple(
        Width(one["value"], one["allows"], unset=one["value"] == unset) for one in field_schema["x-width"]
    )


def _fields(schema: JsonObject) -> list[tuple[str, JsonObject]]:
    properties: JsonObject = schema.get("properties", {})
    settings: JsonObject = properties.get("settings", {}).get("properties", {})
    return [(name, value) for name, value in properties.items() if name != "settings"] + [
        (f"settings.{name}", value) for name, value in settings.items()
    ]


class Rule(Struct, frozen=True):
    """One rule of a vendor: where our behaviour comes from."""

    id: str
    text: str
    source: str
    """`document`, or `ours` where we fill a gap of the document."""


class Screen(Struct, frozen=True):
    """Where a person does one verb in the vendor's portal, and how."""

    path: str
    """The way to the screen, as the vendor's document gives it."""
    steps: tuple[str, ...]
    """What to do there; `{remote_id}`, `{tag}`, `{name}` are filled in, `{fields}` becomes a step a field."""
    asks: tuple[str, ...] = ()
    """What to bring back: parts of the secret; empty where there is only something to confirm."""
    remote_id: str = "remote_id"
    """Which of the asked-for values is the vendor's id of the credential."""
    public: frozenset[str] = frozenset({"remote_id", "id", "client_id", "identifier"})
    """Which of the asked-for values may be seen while they are typed; every other one is a secret."""


class Declaration(Struct, frozen=True):
    """All that is known of a provider without speaking to its vendor."""

    name: str
    title: str
    schema: JsonObject
    """JSON Schema of the fields of one credential (schemas/providers/NAME.json)."""
    parts: tuple[str, ...]
    """The names of the parts of an issued secret, such as client_id."""
    capabilities: Mapping[Via, Capabilities]
    rules: tuple[Rule, ...]
    screens: Mapping[Verb, Screen] = field(default_factory=dict)
    """The portal's screens, for the verbs that are handoffs."""
    protocol: int = 1
    """The version of the provider protocol that it speaks."""
