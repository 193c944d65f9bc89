"""Laws of drafted manifests: whatever vendors call things, a draft is read again and says the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from declared import declaration
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.core.diff import declared_only
from provisioner.core.model import Observed, RemoteStatus, Tag
from provisioner.core.unmanaged import Unmanaged
from provisioner.manifest import load
from provisioner.manifest.draft import draft

DECLARATIONS = {name: declaration(name) for name in ("payspace", "paytia", "fpay")}

PROJECT = """\
project: payments
environments:
  test: {kind: test, recipients: [age1vqmqkecm5zs8hr26cwpgjhlu7zj07tgg6fdd3lz93565tmdxdqnshsnhxy]}
  production: {kind: production, recipients: [age1vqmqkecm5zs8hr26cwpgjhlu7zj07tgg6fdd3lz93565tmdxdqnshsnhxy]}
providers:
  payspace: {test: {endpoint: sandbox}, production: {endpoint: sandbox}}
  paytia: {test: {endpoint: sandbox}, production: {endpoint: sandbox}}
  fpay: {test: {endpoint: sandbox}, production: {endpoint: sandbox}}
sinks: {app-env: {type: dotenv, path: "secrets/{environment}/{name}.env"}}
users: {payroll-bot: {payspace: svc.payroll}}
defaults: {deliver: [app-env]}
"""

TEXT = st.one_of(
    st.text(max_size=70),
    st.sampled_from(
        ["yes", "on", "null", "1e5", "0x1F", "12:30", "- a", "{a: b}", "# b", "a: b", "*x", "&x", "!t"]
    ),
)
FIELDS = {
    "payspace": st.fixed_dictionaries(
        {"scopes": st.sampled_from([["read-only"], ["full-access"]]), "user": st.just("svc.payroll")},
        optional={"description": TEXT, "settings": st.just({"development_mode": False})},
    ),
    "paytia": st.fixed_dictionaries(
        {"allow_ips": st.sampled_from([[], ["203.0.113.0/28"], ["0.0.0.0/0"], ["2001:db8::/48"]])},
        optional={"description": TEXT},
    ),
    "fpay": st.fixed_dictionaries(
        {"scopes": st.just(["ReadOnly"])},
        optional={"description": TEXT, "settings": st.fixed_dictionaries({"foreign_data": TEXT})},
    ),
}
PLACES = st.tuples(st.sampled_from(sorted(FIELDS)), st.sampled_from(["test", "production"]))
NAMES = st.one_of(TEXT, st.sampled_from(["Payroll", "payroll", "taken", "x" * 99]))


@st.composite
def strays(draw: st.DrawFn) -> list[Unmanaged]:
    """What vendors might have, each with an id of its own."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        provider, environment = draw(PLACES)
        tag = draw(st.sampled_from([None, None, Tag("payments", environment, "moved", 1, f"n{number}")]))
        id = f"{draw(TEXT)}#{number}"
        seen = Observed(id, RemoteStatus.LIVE, draw(FIELDS[provider]), tag, name="" if tag else draw(NAMES))
        found.append(Unmanaged(provider, environment, seen, others=False))
    return found


@settings(max_examples=25, deadline=None)
@given(strays())
def test_a_draft_says_what_its_vendor_shows(found: list[Unmanaged]) -> None:
    """Each stray is imported once, by a credential that declares nothing but what its vendor shows."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, "provision.yaml", PROJECT)
        _write(root, "credentials/a.yaml", TAKEN)
        made = draft(load(root, DECLARATIONS), DECLARATIONS, found, 'team "a"')
        for provider, text in made.files.items():
            _write(root, f"credentials/{provider}.yaml", text)
        project = load(root, DECLARATIONS)
    assert ([], {}) == (made.left_out, made.users)
    desired = {one.address: one for one in project.desired}
    imported = {
        (desired[one.address].provider, one.address.environment, one.remote_id): one
        for one in project.imports
    }
    assert {(one.provider, one.environment, one.seen.remote_id) for one in found} == imported.keys()
    assert len(found) == len(project.imports)
    for one in found:
        declared = desired[imported[one.provider, one.environment, one.seen.remote_id].address]
        shown = _normal(declared_only(declared.fields, one.seen.fields))
        assert (shown, 'team "a"') == (_normal(declared.fields), declared.local["owner"])


TAKEN = """\
credentials:
  taken: {provider: payspace, owner: team, scopes: [read-only], environments: [test]}
removed: [{name: payroll, reason: gone}]
"""


def _normal(fields: Any) -> Any:
    return {name: value for name, value in fields.items() if value}


def _write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")
