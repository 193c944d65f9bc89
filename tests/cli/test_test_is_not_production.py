"""Bootstrap refuses wherever test may be production: endpoints that are one, by whatever name, and swaps."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program_runner import Cli

from provisioner.cli.reached import place
from provisioner.secrets.identities import generate_identity

MANIFEST = """\
project: {project}
environments:
  test: {{kind: test, recipients: [{recipient}]}}
  production: {{kind: production, recipients: [{recipient}]}}
providers:
  payspace:
    test: {{endpoint: "{test}", auth: {{token: {{env: {test_token}}}}}}}
    production: {{endpoint: "{production}", auth: {{token: {{env: {production_token}}}}}}}
credentials:
  report: {{provider: payspace, owner: t, scopes: [read-only], environments: [test, production]}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A project folder whose twins are served, and their URL."""
    root = tmp_path_factory.mktemp("served") / "project"
    generate_identity(root / ".provision" / "identity.txt")
    (root / "provision.yaml").write_text("")
    command = [sys.executable, "-m", "provisioner", "-C", str(root), "sandbox", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1].partition("/payspace/")[0]
        yield root, url
        process.send_signal(signal.SIGINT)
        process.stdout.read()


@pytest.fixture
def project(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The same, with the tokens of both tenants in the environment."""
    cli = Cli(served[0])
    with cli.sandbox() as twins:
        for name, tenant in (("TEST", "test"), ("PROD", "production"), ("COPIED", "production")):
            monkeypatch.setenv(name, twins.token("payspace", tenant))
    return cli


def _declare(cli: Cli, *, project: str = "payments", **given: str) -> None:
    recipient = (cli.root / ".provision" / "identity.txt").read_text().split()[3]
    (cli.root / "provision.yaml").write_text(MANIFEST.format(recipient=recipient, project=project, **given))


THERE = "{url}/payspace/production"
HOSTILE = {
    "the very same": (THERE, "TEST", THERE, "PROD", "have the same endpoint"),
    "written otherwise": ("{url}/payspace/x/../production/", "TEST", THERE, "PROD", "have the same endpoint"),
    "another name": (
        "{local}/payspace/production",
        "TEST",
        THERE,
        "PROD",
        "have names for the same address, port and path",
    ),
    "swapped": (THERE, "TEST", "{url}/payspace/test", "PROD", "are one place: production lets in"),
    "one token": ("{url}/payspace/test", "PROD", THERE, "PROD", "have the same management token"),
    "a copied token": ("{url}/payspace/test", "COPIED", THERE, "PROD", "have the same management token"),
    "the twin within": (THERE, "PROD", "sandbox", "PROD", "have the same management token"),
}
"""What stands in provision.yaml: endpoint and token of test, then of production; and what is said to it."""


@pytest.mark.parametrize("name", HOSTILE)
def test_what_may_be_production_is_refused(name: str, project: Cli, served: tuple[Path, str]) -> None:
    """Where test may be production, nothing is done, judged or saved, and the remedy is told."""
    test, test_token, production, production_token, why = HOSTILE[name]
    url = served[1]
    urls = {"url": url, "local": url.replace("127.0.0.1", "localhost")}
    _declare(
        project,
        test=test.format(**urls),
        test_token=test_token,
        production=production.format(**urls),
        production_token=production_token,
    )
    with project.sandbox() as twins:
        before = twins.writes()
    for more in (["--check"], ["--auto-approve"], ["--out", "plan.json"]):
        ran = project("bootstrap", "test", *more)
        assert (3, "") == (ran.code, ran.out)
        assert f"  payspace: test and production {why}" in ran.err
        assert "give test the endpoint and the management token of its own" in ran.err
    with project.sandbox() as twins:
        assert before == twins.writes()


@pytest.mark.parametrize("forgotten", ["", "PROD"])
def test_what_is_apart_is_judged(
    forgotten: str, project: Cli, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two places with tokens of their own are apart, also where production's token is not at hand."""
    url = served[1]
    _declare(
        project,
        test=f"{url}/payspace/test",
        test_token="TEST",
        production=f"{url}/payspace/production",
        production_token="PROD",
    )
    if forgotten:
        monkeypatch.delenv(forgotten)
    ran = project("bootstrap", "test", "--check")
    assert (0, "test is as it was left: nothing was in use there\n") == (ran.code, ran.out)


def test_where_production_was_applied_is_remembered(project: Cli, served: tuple[Path, str]) -> None:
    """Swapping endpoints and tokens makes a test that is production: what was applied there says so."""
    url = served[1]
    places = [(f"{url}/payspace/test", "TEST"), (f"{url}/payspace/production", "PROD")]
    for (test, test_token), (production, production_token) in (places, places[::-1]):
        _declare(
            project,
            project="swapped",
            test=test,
            test_token=test_token,
            production=production,
            production_token=production_token,
        )
        if test_token == "TEST":
            assert 0 == project("apply", "--auto-approve").code
            assert 0 == project("bootstrap", "test", "--check").code
    ledger = project.ledger("payspace", "production")
    ran = project("bootstrap", "test", "--auto-approve")
    assert (3, ["active"]) == (ran.code, ledger)
    assert f"test is at {url}/payspace/production, where production was applied" in ran.err
    assert ledger == project.ledger("payspace", "production")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://API.example.com", "https://api.example.com:443/"),
        ("https://api.example.com./v1", "https://api.example.com/v1//"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a/"),
        ("https://api.example.com/a/../b", "https://api.example.com/%62"),
    ],
)
def test_ways_to_write_one_place(one: str, other: str) -> None:
    """Case, default port, slashes, dots, escapes and IDN make no other place; another path does."""
    assert place(one) == place(other)
    assert place(one) != place(f"{other}x")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("production", "production is of kind production: production is never bootstrapped"),
        ("tset", "did you mean test?"),
    ],
)
def test_only_a_test_environment_is_bootstrapped(name: str, why: str, cli: Cli) -> None:
    """Production, and what is not declared, is a wrong command line."""
    for more in ([], ["--check"]):
        ran = cli("bootstrap", name, *more)
        assert (64, "") == (ran.code, ran.out)
        assert why in ran.err
