"""Client metadata of RFC 7591 §2: from the fields of a manifest, and back to them in one normal form.

Pure. A server may register something else than it was asked for (§3.2.1): `unmet` says what, in words.
"""

from __future__ import annotations

from collections.abc import Iterable

from provisioner.core.model import JsonObject, JsonValue, Tag
from provisioner.core.provider import Spec
from provisioner.providers.answers import present

BASIC = "client_secret_basic"
"""How a client authenticates where nothing else is said (§2)."""

_FORBIDDEN = frozenset(
    {
        "client_secret",
        "client_secret_expires_at",
        "client_id_issued_at",
        "registration_access_token",
        "registration_client_uri",
    }
)
"""What an update must not send back (RFC 7592 §2.2); the secret it may, and need not."""

_GRANTS = ("client_credentials",)
"""What an API credential is for, where the manifest does not say."""

BINDING = ("scope", "grant_types", "token_endpoint_auth_method", "redirect_uris")
"""What decides who may do what with a client: here a server is held to what was asked."""


def registration(spec: Spec, tag: Tag) -> JsonObject:
    """The body of a registration. The tag stands in software_id, the same for all generations of an address,
    and in software_version, which tells them apart (§2 means them so)."""
    software, generation, nonce = str(tag).rsplit("/", 2)
    return {
        **_managed(spec),
        "software_id": software,
        "software_version": f"{generation}/{nonce}",
    }


def changed(shown: JsonObject, spec: Spec) -> JsonObject:
    """The body of an update: everything that the server showed, with what the spec wants in its place.

    What is left out is thereby deleted (RFC 7592 §2.2).
    """
    kept = {name: value for name, value in shown.items() if name not in _FORBIDDEN | set(_CLEARED)}
    return {**kept, **_managed(spec)}


_CLEARED = ("scope", "redirect_uris", "contacts", "client_uri")
"""What is deleted where the manifest does not declare it."""


def _managed(spec: Spec) -> JsonObject:
    fields, settings = spec.fields, spec.fields.get("settings", {})
    asked = grants(spec)
    return present(
        client_name=fields.get("description", spec.address.name),
        scope=" ".join(sorted(fields.get("scopes", ()))) or None,
        grant_types=asked,
        # The two depend on each other (§2.1).
        response_types=["code"] if "authorization_code" in asked else [],
        token_endpoint_auth_method=settings.get("token_endpoint_auth_method", BASIC),
        redirect_uris=sorted(settings.get("redirect_uris", ())) or None,
        contacts=sorted(settings.get("contacts", ())) or None,
        client_uri=settings.get("client_uri"),
    )


def fields_of(shown: JsonValue) -> JsonObject:
    """The fields that client metadata shows, with the defaults of §2.

    Lenient: what is no text or list of texts is as good as absent, so that no answer is lost over it.
    """
    lists = {name: _texts(shown, name) for name in _LISTS if _texts(shown, name)}
    settings = present(
        token_endpoint_auth_method=_text(shown, "token_endpoint_auth_method") or BASIC,
        client_uri=_text(shown, "client_uri") or None,
        **lists,
    )
    return present(
        description=_text(shown, "client_name") or None,
        scopes=sorted(scopes_of(shown)) or None,
        settings=settings,
    )


_LISTS = ("grant_types", "redirect_uris", "contacts")


def scopes_of(shown: JsonValue) -> frozenset[str]:
    """The scopes that client metadata shows; they come in any order."""
    return frozenset(_text(shown, "scope").split())


def grants(spec: Spec) -> list[str]:
    """The grant types that are asked for."""
    return sorted(spec.fields.get("settings", {}).get("grant_types", _GRANTS))


def _text(shown: JsonValue, name: str) -> str:
    value = shown.get(name)
    return value if isinstance(value, str) else ""


def _texts(shown: JsonValue, name: str) -> list[str]:
    value = shown.get(name)
    return sorted({item for item in value if isinstance(item, str)}) if isinstance(value, list) else []


def tag_of(shown: JsonValue) -> Tag | None:
    """Our tag; None where the server dropped it or the client is somebody else's."""
    return Tag.parse(f"{shown.get('software_id')}/{shown.get('software_version')}")


def without_implied(scopes: Iterable[str], asked: Iterable[str], implied: frozenset[str]) -> frozenset[str]:
    """What was granted, less what the server adds to whatever it is asked for."""
    return frozenset(scopes) - (implied - frozenset(asked))


def unmet(spec: Spec, shown: JsonObject, implied: frozenset[str]) -> dict[str, str]:
    """What of `BINDING` the server registered otherwise than it was asked, by name, in words.

    Scopes count only where any are declared.
    """
    asked, got = _binding(_managed(spec)), _binding(shown)
    got["scope"] = without_implied(got["scope"], asked["scope"], implied)
    counts = [name for name in BINDING if asked[name] or name != "scope"]
    return {
        name: f"{name} is {_said(got[name])}, not {_said(asked[name])}"
        for name in counts
        if asked[name] != got[name]
    }


def _binding(shown: JsonObject) -> dict[str, frozenset[str]]:
    settings = fields_of(shown)["settings"]
    return {
        "scope": scopes_of(shown),
        "grant_types": frozenset(settings.get("grant_types", ("authorization_code",))),  # the default of §2
        "token_endpoint_auth_method": frozenset({settings["token_endpoint_auth_method"]}),
        "redirect_uris": frozenset(settings.get("redirect_uris", ())),
    }


def _said(values: frozenset[str]) -> str:
    return " ".join(sorted(values)) or "nothing"
