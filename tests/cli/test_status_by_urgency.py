"""What `status` lists first, what it leaves out, and the metrics that it writes."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from handoff_project import CARD
from program_runner import KEY, PAYROLL, REPORT, Cli
from prometheus_client.parser import text_string_to_metric_families

from provisioner.cli.inventory import URGENCIES, Row, urgency
from provisioner.cli.rendering.prometheus import metrics_text
from provisioner.core.model import Address
from provisioner.core.renewal import Due

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
METRICS = {
    "provision_credential_expiry_timestamp_seconds",
    "provision_credential_renew_due_timestamp_seconds",
    "provision_credential_age_seconds",
    "provision_credential_operations_open",
    "provision_credential_handoffs_open",
    "provision_credential_retiring",
    "provision_credential_last_apply_timestamp_seconds",
}
SHORT = REPORT + "    rotate: {every: 20d, before: 5d}\n"
LONG = PAYROLL + "    rotate: {every: 90d, before: 7d}\n"


def row(name: str, **known: object) -> Row:
    """A row of an active credential of which nothing else is known."""
    given = {
        "address": Address("test", name),
        "provider": "payspace",
        "state": "active",
        "waits_for": "",
        "note": "",
        "handoffs": (),
        "owner": "team",
        "generation": 1,
        "issued_at": NOW,
        "expires_at": None,
        "retiring": (),
        "delivered_at": NOW,
    }
    return Row(**{**given, **known})  # type: ignore[arg-type]


def with_fpay(cli: Cli, credentials: str) -> None:
    """Declare these, among them one whose secret a person has to read."""
    cli.write(credentials)
    cli.edit("sinks:", "  fpay: {test: {endpoint: sandbox}}\nsinks:", "provision.yaml")


def listed(cli: Cli, *args: str) -> list[str]:
    return [one["address"] for one in cli("status", "--json", *args).json["credentials"]]


def test_the_most_urgent_first(cli: Cli) -> None:
    """What waits, then what is not created, then what is due soonest; what is due now before all of these."""
    with_fpay(cli, CARD + LONG + SHORT + KEY)
    cli("apply", "--auto-approve", "--exclude", "test/rpp")
    assert ["test/card", "test/rpp", "test/report", "test/payroll"] == listed(cli)
    cli("sandbox", "clock", "--advance", "16d")
    assert ["test/report", "test/card", "test/rpp", "test/payroll"] == listed(cli)
    shown = cli("status").out.splitlines()
    assert ["now"] == [word for word in shown[1].split() if word == "now"]
    assert "in 66d" in shown[4]
    one = cli("status", "--json").json["credentials"][0]
    assert "within 5d of 20d since" in one["due_reason"]
    length = datetime.fromisoformat(one["due_limit"]) - datetime.fromisoformat(one["issued_at"])
    assert timedelta(days=20) == length


def test_every_urgency_is_reached() -> None:
    """Each rank of the table is some row's, and only the first that fits counts."""
    past = Due(NOW - timedelta(days=1), NOW + timedelta(days=1), "")
    rows = {
        "unknown": row("a", state="create: outcome unknown", expires_at=NOW),
        "ended": row("b", expires_at=NOW, due=past),
        "interrupted": row("c", state="renew: interrupted", due=past),
        "due": row("d", due=past, waits_for="approval"),
        "waiting": row("e", state="create: waiting", waits_for="approval"),
        "not created": row("f", state="not created"),
        "in order": row("g"),
        "revoked": row("h", state="revoked"),
    }
    assert list(URGENCIES) == list(rows)
    assert list(URGENCIES) == [list(URGENCIES)[urgency(one, NOW)] for one in rows.values()]


def test_expiring_within(cli: Cli) -> None:
    """Only what passes its age within the time is listed, with exit code 2; nothing is 0, nonsense 64."""
    cli.write(LONG + SHORT + KEY)
    cli.applied()
    soon = cli("status", "--expiring-within", "20d")
    assert (2, ["test/report"]) == (soon.code, listed(cli, "--expiring-within", "20d"))
    assert "1 credential." == soon.last
    none = cli("status", "--expiring-within", "19d")
    assert (0, "Nothing expires within 19d.") == (none.code, none.last)
    assert [] == listed(cli, "--expiring-within", "19d")
    assert 64 == cli("status", "--expiring-within", "soon").code


def test_a_vendors_expiry_counts() -> None:
    """The first of the vendor's expiry and the policy's age is the end."""
    limit = Due(NOW, NOW + timedelta(days=9), "")
    assert NOW + timedelta(days=5) == row("a", expires_at=NOW + timedelta(days=5), due=limit).ends_at
    assert NOW + timedelta(days=9) == row("a", expires_at=NOW + timedelta(days=10), due=limit).ends_at
    assert not row("a").ends_within(timedelta(days=9999), NOW)


@pytest.mark.parametrize(
    ("user", "expected"), [("payroll-bot", ["test/payroll"]), ("svc.payroll", ["test/payroll"])]
)
def test_by_user(cli: Cli, user: str, expected: list[str]) -> None:
    """A user is known by the manifests' name and by the vendor's, before and after the apply."""
    cli.write(LONG + SHORT)
    assert expected == listed(cli, "--user", user)
    cli.applied()
    assert expected == listed(cli, "--user", user)
    assert 64 == cli("status", "--user", "nobody").code


def test_retiring_and_delivered(cli: Cli) -> None:
    """An older secret is listed until when it is accepted, and the delivery is that of the secret in use."""
    cli.write(LONG)
    cli.applied()
    cli("sandbox", "clock", "--advance", "10d")
    assert 0 == cli("renew", "test/payroll", "--auto-approve").code
    (one,) = cli("status", "--json").json["credentials"]
    assert 2 == one["generation"]
    until = datetime.fromisoformat(one["retiring"][0]["until"])
    assert timedelta(hours=23) < until - datetime.fromisoformat(one["delivered_at"]) < timedelta(hours=25)
    assert one["done_at"] >= one["delivered_at"] > one["issued_at"][:10]
    cli("sandbox", "clock", "--advance", "25h")
    assert "1 (over)" in cli("status").out


def families(path: Path) -> dict[str, dict[str, float]]:
    """Each metric's values by address, as Prometheus's own client reads the file."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(path.read_text()):
        assert ("gauge", True) == (family.type, bool(family.documentation))
        samples = {f"{s.labels['environment']}/{s.labels['name']}": s.value for s in family.samples}
        assert len(samples) == len(family.samples)
        found[family.name] = samples
        for sample in family.samples:
            assert {"environment", "name", "provider", "owner"} == set(sample.labels)
    return found


def test_metrics(cli: Cli) -> None:
    """The file has every metric of every credential that it means something for, and no secret."""
    with_fpay(cli, CARD + LONG)
    cli("apply", "--auto-approve")
    cli("sandbox", "clock", "--advance", "10d")
    cli("renew", "test/payroll", "--auto-approve")
    path = cli.root / "provision.prom"
    ran = cli("status", "--prometheus", str(path))
    assert (0, "") == (ran.code, ran.out)
    found = families(path)
    assert set(found) == METRICS
    short = {name.removeprefix("provision_credential_"): values for name, values in found.items()}
    both = {"test/card", "test/payroll"}
    assert {"test/card": 1.0, "test/payroll": 0.0} == short["operations_open"] == short["handoffs_open"]
    assert {"test/card": 0.0, "test/payroll": 1.0} == short["retiring"]
    assert {} == short["expiry_timestamp_seconds"]
    issued = datetime.fromisoformat(
        cli("status", "--json", "--user", "payroll-bot").json["credentials"][0]["issued_at"]
    )
    due = (issued + timedelta(days=83)).timestamp()
    assert {"test/payroll": due} == short["renew_due_timestamp_seconds"]
    assert 0 < short["age_seconds"]["test/payroll"] < 3600
    assert (
        issued.timestamp()
        <= short["last_apply_timestamp_seconds"]["test/payroll"]
        < issued.timestamp() + 3600
    )
    assert both == set(short["operations_open"])
    delivered = [
        line.partition("=")[2] for line in (cli.root / "secrets/test/payroll.env").read_text().splitlines()
    ]
    assert not [value for value in delivered if value and value in path.read_text()]


def test_labels_are_escaped() -> None:
    """Whatever a name holds, a parser reads the same back."""
    owner = 'team "a\\b"\nnext\\n'
    text = metrics_text([row("x", owner=owner, expires_at=NOW)], NOW)
    read = [s.labels["owner"] for family in text_string_to_metric_families(text) for s in family.samples]
    assert {owner} == set(read)


def test_the_file_is_for_the_node_exporter(cli: Cli) -> None:
    """It is whole or as before, readable by everybody, and no other *.prom is left beside it."""
    cli.write(LONG)
    path = cli.root / "out" / "provision.prom"
    path.parent.mkdir()
    path.write_text("before")
    path.chmod(0o600)
    assert 0 == cli("status", "--prometheus", str(path)).code
    assert (0o644, ["provision.prom"]) == (
        stat.S_IMODE(path.stat().st_mode),
        [one.name for one in path.parent.iterdir()],
    )
    assert "provision_credential_operations_open" in path.read_text()
    ran = cli("status", "--prometheus", str(cli.root / "nowhere" / "provision.prom"))
    assert (1, True) == (ran.code, "cannot be written" in ran.err)
    blocked = cli.root / "blocked"
    blocked.mkdir()
    assert 64 == cli("status", "--prometheus", str(blocked)).code
