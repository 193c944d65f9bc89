"""A plan as text, as Markdown and as JSON: functions from a value to a string."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from provisioner.cli.rendering.html_plan import plan_html
from provisioner.cli.rendering.markdown import code, plan_markdown
from provisioner.cli.rendering.plan import plan_text
from provisioner.cli.saved_plan import document
from provisioner.cli.values import moved, plain, shown
from provisioner.core.journal import Action
from provisioner.core.model import Address, Kind
from provisioner.core.plan import Change, FieldChange, Plan, Reason, Verdict

SCHEMA = json.loads((Path(__file__).parent.parent.parent / "schemas" / "plan.json").read_text())
HOSTILE = "a\x1b[2J\x9b1m\u202e`x`|<b>@all</b>\r\n# b"


def _change(name: str, action: Action, why: str, *fields: FieldChange, **more: object) -> Change:
    return Change(
        address=Address("production", name),
        action=action,
        provider="payspace",
        via="api",
        reasons=(Reason("why", why),),
        record_version=1,
        generation=1,
        fields=fields,
        **more,  # type: ignore[arg-type]
    )


def _plan(*changes: Change, **more: object) -> Plan:
    values: dict[str, object] = {
        "project": "payments",
        "state": "sqlite:///state.db",
        "environments": {"production": Kind.PRODUCTION},
        "changes": changes,
        "unchanged": 40,
        "planned_at": datetime(2026, 11, 21, 14, 2, tzinfo=UTC),
        "observed_at": datetime(2026, 11, 21, 14, 2, tzinfo=UTC),
    }
    return Plan(**{**values, **more})  # type: ignore[arg-type]


DESIGN = _plan(
    _change(
        "payroll-export",
        Action.CREATE,
        "declared in credentials/payroll.yaml:3, no record",
        FieldChange("scopes", None, ["full-access"], "wider: first access"),
        FieldChange("user", None, "svc.payroll"),
        desired={"fields": {}, "local": {}, "kind": "production", "user": "payroll-bot"},
    ),
    _change(
        "crm-keys", Action.UPDATE, "description differs", FieldChange("description", "CRM", "CRM, read only")
    ),
    _change(
        "merchant-rpp",
        Action.RENEW,
        "older than 90d since 2026-08-20",
        notes=("in place: consumers hold a dead secret from the renewal to the delivery",),
    ),
    _change(
        "old-kiosk",
        Action.REVOKE,
        "removed: kiosk retired",
        ends=(1,),
        handoffs=("Profile > Revoke API access",),
    ),
)

TEXT = """\
provision will do this in production (project payments, state sqlite:///state.db, observed 14:02 UTC):

  + production/payroll-export   create          (declared in credentials/payroll.yaml:3, no record)
      provider   payspace
      scopes     full-access                      wider: first access
      user       payroll-bot → svc.payroll
  ~ production/crm-keys         update          (description differs)
      description  "CRM" → "CRM, read only"
  ↻ production/merchant-rpp     renew           (older than 90d since 2026-08-20)
      in place: consumers hold a dead secret from the renewal to the delivery
  - production/old-kiosk        revoke          (removed: kiosk retired)
      handoff: Profile > Revoke API access

  + create  ~ update  ↻ renew  - revoke
Plan: 1 to create, 1 to update, 1 to renew, 1 to revoke, 40 unchanged. 1 step needs a person."""

MARKDOWN = """\
### provision plan for production

Observed 2026-11-21 14:02 UTC.

Digest: `DIGEST`

- `+` **create** `production/payroll-export`: `declared in credentials/payroll.yaml:3, no record`
  - `provider`: `payspace`
  - `scopes`: `full-access` (`wider: first access`)
  - `user`: `payroll-bot → svc.payroll`
- `~` **update** `production/crm-keys`: `description differs`
  - `description`: `"CRM" → "CRM, read only"`
- `↻` **renew** `production/merchant-rpp`: `older than 90d since 2026-08-20`
  - `in place: consumers hold a dead secret from the renewal to the delivery`
- `-` **revoke** `production/old-kiosk`: `removed: kiosk retired`
  - handoff: `Profile > Revoke API access`

**Plan: 1 to create, 1 to update, 1 to renew, 1 to revoke, 40 unchanged. 1 step needs a person.**"""


def test_the_plan_of_the_design() -> None:
    """The text is that of design §6, line by line."""
    assert TEXT.splitlines() == plan_text(DESIGN).splitlines()


def test_the_same_as_markdown() -> None:
    """The Markdown says the same, and has the digest that an apply expects."""
    assert MARKDOWN.replace("DIGEST", DESIGN.digest).splitlines() == plan_markdown(DESIGN).splitlines()


def test_an_offline_plan_says_so() -> None:
    """Whether the vendors were asked is told in every form, also where nothing is to be done."""
    offline = replace(DESIGN, observed_at=None)
    assert "not observed" in plan_text(offline).splitlines()[0]
    assert "Not observed: the vendors were not asked." == plan_markdown(offline).splitlines()[2]
    assert "Not observed: the vendors were not asked." in plan_html(offline)
    nothing = replace(offline, changes=())
    told = "No changes. 40 credentials are as declared in production"
    assert f"{told}, by the state alone: the vendors were not asked." == plan_text(nothing)


def test_what_is_not_managed_is_told() -> None:
    """What a vendor has besides is told in every form, above the last line, and is no change."""
    line = "3 credentials at paynet in test are not managed: provision discover"
    known = replace(DESIGN, unmanaged=(line,))
    assert DESIGN.digest == known.digest
    assert line in plan_text(known).splitlines()
    assert TEXT.splitlines()[-1] == plan_text(known).splitlines()[-1]
    assert f"- `{line}`" in plan_markdown(known).splitlines()
    assert line in plan_html(known)


def test_colour_changes_nothing_but_colour() -> None:
    """Painted text is the same text."""
    painted = plan_text(DESIGN, lambda text, color: f"<{color}>{text}</>")
    assert "<green>+</> production/payroll-export" in painted
    for color in ("green", "yellow", "cyan", "red"):
        painted = painted.replace(f"<{color}>", "")
    assert TEXT == painted.replace("</>", "")


def test_what_the_rails_refuse_and_what_nobody_saw() -> None:
    """Refusals stand in the plan with their remedy, and so does what could not be observed."""
    refused = _plan(
        *DESIGN.changes,
        verdicts=(Verdict("protected", "production/old-kiosk is protected", "list it under `removed`"),),
        unseen=("paynet in production: unreachable",),
    )
    assert [
        "Not observed, so a drift there would not show:",
        "  paynet in production: unreachable",
        "",
        "Refused by the rails: an apply of this plan would do nothing.",
        "  protected: production/old-kiosk is protected",
        "      list it under `removed`",
    ] == plan_text(refused).splitlines()[13:19]
    told = "protected: production/old-kiosk is protected; list it under `removed`"
    assert f"- ``{told} ``" not in plan_markdown(DESIGN)
    assert f"- `` {told} ``" in plan_markdown(refused)


def test_no_changes() -> None:
    """A plan without changes is one line, with nothing above it that could be taken for a change."""
    assert "No changes. 40 credentials are as declared in production." == plan_text(_plan())
    assert "**No changes. 40 credentials are as declared in production.**" in plan_markdown(_plan())


def test_nothing_reaches_the_terminal() -> None:
    """Whatever a manifest or a vendor says, the terminal gets printable characters and newlines of ours."""
    change = _change("a", Action.UPDATE, HOSTILE, FieldChange("description", HOSTILE, None), notes=(HOSTILE,))
    plan = _plan(change, unseen=(HOSTILE,), verdicts=(Verdict("protected", HOSTILE, HOSTILE),))
    for text in (plan_text(plan), plan_markdown(plan)):
        assert all(line.isprintable() for line in text.split("\n"))
    harmless = _change("a", Action.UPDATE, "b", FieldChange("description", "c", None), notes=("d",))
    assert len(plan_text(_plan(harmless)).split("\n")) == len(plan_text(_plan(change)).split("\n"))


@pytest.mark.parametrize(
    "text", ["a", "`", "``a`", "a`b", " a ", "", "a|b", "<script>", "@all", "**a**", "a\nb"]
)
def test_a_code_span_holds_anything(text: str) -> None:
    """The fence is longer than any run of backticks inside, so nothing inside ends it."""
    span = code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    inside = span[len(fence) : -len(fence)]
    assert span.endswith(fence)
    assert fence not in inside.replace(fence + "`", "")
    assert plain(text).strip() == inside.strip()


@pytest.mark.parametrize("plan", [DESIGN, _plan(), _plan(_change("a", Action.WAIT, HOSTILE, operation="x"))])
def test_every_plan_fits_its_schema(plan: Plan) -> None:
    """The JSON of a plan is what schemas/plan.json says, in a form that every reader of JSON takes."""
    Draft202012Validator.check_schema(SCHEMA)
    written = json.loads(json.dumps(document(plan)))
    assert [] == [error.message for error in Draft202012Validator(SCHEMA).iter_errors(written)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "(none)"),
        ("svc.payroll", "svc.payroll"),
        ("203.0.113.0/28", "203.0.113.0/28"),
        ("2001:db8::/48", "2001:db8::/48"),
        ("true", '"true"'),
        (True, "true"),
        ("4711", '"4711"'),
        (4711, "4711"),
        ("", '""'),
        ("(none)", '"(none)"'),
        ("a, b", '"a, b"'),
        (["a", "b"], "a, b"),
        ([], "[]"),
        ({"every": ["a", "b"], "on": False}, "{every: [a, b], on: false}"),
        ("\x1b", '"\\u001b"'),
    ],
)
def test_values_cannot_be_taken_for_others(value: object, text: str) -> None:
    """Words stand bare; what could be taken for something else is JSON."""
    assert text == shown(value)


def test_a_mapping_has_one_order() -> None:
    """The keys of a mapping are shown in one order, so that both sides of a change can be compared."""
    assert "{a: 1, b: 2} → {a: 1, b: 3}" == moved({"b": 2, "a": 1}, {"a": 1, "b": 3})


def test_long_lists_tell_what_moves() -> None:
    """Of a long list only what is added and removed is shown."""
    before = [f"203.0.113.{number}/32" for number in range(20)]
    after = [*before[1:], "198.51.100.0/24"]
    assert "adds 198.51.100.0/24; removes 203.0.113.0/32; 19 kept" == moved(before, after)
