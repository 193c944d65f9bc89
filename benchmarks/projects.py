"""Projects to measure with: so many addresses, in two environments, at five vendors, in files of 200 each.

What stands in an entry is what the README's examples hold; the endpoints are URLs that nobody is asked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

A_FILE = 200
"""Addresses in one file."""

ENVIRONMENTS = ("test", "production")
VENDORS = ("payspace", "paytia", "paynet", "timeclock", "fpay")
USERS = 20

RECIPIENT = "age1vqmqkecm5zs8hr26cwpgjhlu7zj07tgg6fdd3lz93565tmdxdqnshsnhxy"

HEAD = f"""\
project: measured
environments:
  test: {{kind: test, recipients: [{RECIPIENT}]}}
  production: {{kind: production, recipients: [{RECIPIENT}]}}
sinks:
  app-env: {{type: dotenv, path: "secrets/{{environment}}/{{name}}.env"}}
defaults:
  labels: {{managed-by: provision}}
  rotate: {{every: 90d, before: 7d}}
  deliver: [app-env]
  providers:
    payspace: {{rotate: {{overlap: 24h}}}}
    paytia: {{rotate: {{overlap: 24h}}}}
    fpay: {{rotate: {{overlap: 24h}}}}
"""

ENTRIES = {
    "payspace": """\
    user: user-{user}
    scopes: [full-access]
    protect: true
    environments:
      test: {{settings: {{development_mode: true}}}}
      production: {{}}
""",
    "paytia": """\
    settings: {{webhook_format: single, enhance_security: true}}
    allow_ips: [203.0.113.0/28, 198.51.100.{user}, "2001:db8::/48"]
    environments: [test, production]
    deliver: [{{to: app-env, as: {{PAYTIA_KEY: api_key, PAYTIA_REFRESH: refresh_token}}}}]
""",
    "paynet": """\
    scopes: [rpp:merchant, duitnow:read]
    environments: [test, production]
    rotate: {{every: 60d}}
""",
    "timeclock": """\
    user: clock-{number}
    environments: [test, production]
""",
    "fpay": """\
    scopes: [ReadOnly]
    settings: {{foreign_data: "unit {number}"}}
    environments: [test, production]
""",
}

DESCRIBED = frozenset({"payspace", "paytia", "paynet", "fpay"})
"""The vendors that keep a description."""


def write(folder: Path, addresses: int, *, edit_every: int = 0, state: str = "") -> None:
    """Write the manifests; with `edit_every`, each such entry differs from what it was without.

    `state` is the URL of a store that is not the usual file.
    """
    (folder / "credentials").mkdir(parents=True, exist_ok=True)
    (folder / "provision.yaml").write_text(
        HEAD + _state(state) + "".join(_providers()) + _users(addresses // len(ENVIRONMENTS))
    )
    entries = _entries(addresses // len(ENVIRONMENTS), edit_every)
    for number in range(-(-addresses // A_FILE)):
        text = "credentials:\n" + "".join(islice(entries, A_FILE // len(ENVIRONMENTS)))
        (folder / "credentials" / f"team-{number:04}.yaml").write_text(text)


def _state(url: str) -> str:
    return f'state: "{url}"\n' if url else ""


def _providers() -> Iterator[str]:
    yield "providers:\n"
    for vendor in VENDORS:
        yield f"  {vendor}:\n"
        for environment in ENVIRONMENTS:
            token = f"{vendor}_{environment}_token".upper()
            yield (
                f'    {environment}: {{endpoint: "https://{environment}.{vendor}.example/api", '
                f"auth: {{token: {{env: {token}}}}}}}\n"
            )


def _users(count: int) -> str:
    """TimeClock gives each user one access (TC1), so there is one user for each credential there."""
    clocks = range(VENDORS.index("timeclock"), count, len(VENDORS))
    shared = (f"  user-{number}: {{payspace: svc.user-{number}}}\n" for number in range(USERS))
    own = (f"  clock-{number}: {{timeclock: {100 + number}}}\n" for number in clocks)
    return "".join(["users:\n", *shared, *own])


def _entries(count: int, edit_every: int) -> Iterator[str]:
    for number in range(count):
        vendor = VENDORS[number % len(VENDORS)]
        edited = edit_every and number % edit_every == 0
        lines = [
            f"  key-{number:06}:",
            f"    provider: {vendor}",
            f"    owner: team-{number % 50}{'-new' if edited else ''}",
            f'    labels: {{cost-centre: "{4000 + number % 100}"}}',
        ]
        if vendor in DESCRIBED:
            lines.append(f"    description: what unit {number} calls {vendor} for, every night")
        yield "\n".join(lines) + "\n" + ENTRIES[vendor].format(user=number % USERS, number=number)
