"""Approvals: signed by OpenSSH, proved against allowed signers, and none of the plan's author's own."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from program_runner import KEY, PAYROLL, REPORT, Cli

AUTHOR = "alice@example.com"


class Keys:
    """Real SSH keys, and the file that says whose they are."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.signers = root / "signers"
        root.mkdir()
        self.signers.write_text("")

    def make(self, file: str, names: str = "") -> str:
        """A new key; with names it is an allowed signer's."""
        path = self._root / file
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
        if names:
            with self.signers.open("a") as signers:
                signers.write(f"{names} {path.with_suffix('.pub').read_text()}")
        return str(path)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def _guard(cli: Cli, keys: Keys, required: int = 1, more: str = "") -> None:
    """Make `test` an environment that asks for approvals."""
    asked = f"approvals: {{required: {required}, signers: {keys.signers}{more}}}"
    cli.edit("test: {kind: test,", f"test: {{kind: test, {asked},", "provision.yaml")


@pytest.fixture
def guarded(cli: Cli, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A project that asks for one approval, with a plan saved by its author."""
    monkeypatch.setenv("PROVISION_AUTHOR", AUTHOR)
    _guard(cli, keys)
    assert "it needs 1 approval in test" in cli("plan", "--out", "plan.json").err
    return cli


def _approved(cli: Cli, key: str) -> None:
    ran = cli("approve", "plan.json", "--key", key)
    assert 0 == ran.code, ran.err


def _refused(cli: Cli, words: str) -> None:
    """The plan is refused with 3 and these words, and no vendor was called."""
    ran = cli("apply", "plan.json")
    assert (3, True) == (ran.code, words in ran.err), ran.err
    assert [] == cli.ledger("payspace", "test")


def test_an_approved_plan_is_applied(guarded: Cli, keys: Keys) -> None:
    """What somebody else signed is applied, and the history has the approval with its signature."""
    ran = guarded("approve", "plan.json", "--key", keys.make("bob", "bob@example.com"))
    assert (0, True) == (ran.code, "Approved by bob@example.com until " in ran.out), ran.err
    assert "create" in ran.err  # who approves is shown what
    assert 0 == guarded("apply", "plan.json").code
    rows = guarded("audit", "log", "--json").json["rows"]
    assert ["approval used", "apply"] == [row["event"] for row in rows[:2]]
    detail = rows[0]["detail"]
    assert ("test", ["bob@example.com"]) == (detail["environment"], detail["signers"])
    assert rows[1]["detail"]["digest"] == detail["statement"]["digest"]
    assert detail["signature"].startswith("-----BEGIN SSH SIGNATURE-----")


def test_an_approval_is_a_file_of_its_owner(guarded: Cli, keys: Keys) -> None:
    """The approval lies beside the plan, for its owner alone."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    folder = guarded.root / "plan.json.approvals"
    assert [folder / "bob@example.com.json"] == list(folder.iterdir())
    assert (0o700, 0o600) == tuple(
        stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "bob@example.com.json")
    )


def test_without_an_approval(guarded: Cli) -> None:
    """An unsigned plan is refused, and told what is missing."""
    _refused(guarded, "test asks for 1 approval, and has none")


def test_without_a_saved_plan(guarded: Cli) -> None:
    """Where approvals are asked for, a plan made just now is refused before anybody is asked."""
    for command in (("apply",), ("apply", "--auto-approve")):
        ran = guarded(*command)
        assert (3, True) == (ran.code, "provision plan --out plan.json" in ran.err), ran.err
    assert [] == guarded.ledger("payspace", "test")


def test_orders_need_approvals_as_well(cli: Cli, keys: Keys) -> None:
    """A renewal or a revocation on the command line is refused where approvals are asked for."""
    cli.applied()
    _guard(cli, keys)
    for order in ("renew", "revoke"):
        assert 3 == cli(order, "test/payroll", "--auto-approve").code
    assert ["active"] == cli.ledger("payspace", "test")


def test_the_author_is_no_approver(guarded: Cli, keys: Keys) -> None:
    """The author's own approval is not even written; one that was made otherwise does not count."""
    alice = keys.make("alice", "Alice@Example.com")
    ran = guarded("approve", "plan.json", "--key", alice)
    assert (3, True) == (ran.code, "their own approval does not count" in ran.err)
    assert not (guarded.root / "plan.json.approvals").exists()
    keys.signers.write_text(keys.signers.read_text().replace("Alice@Example.com", "bob@example.com"))
    _approved(guarded, alice)
    keys.signers.write_text(keys.signers.read_text().replace("bob@example.com", "Alice@Example.com"))
    _refused(guarded, f"{AUTHOR} made the plan")


def test_a_pattern_may_be_the_author(guarded: Cli, keys: Keys) -> None:
    """A signer whose name is a pattern that the author fits could be the author, and does not count."""
    assert 3 == guarded("approve", "plan.json", "--key", keys.make("some", "*@example.com")).code


def test_a_key_that_nobody_has(guarded: Cli, keys: Keys) -> None:
    """A key outside of the allowed signers cannot approve; one that was taken out since does not count."""
    ran = guarded("approve", "plan.json", "--key", keys.make("mallory"))
    assert (3, True) == (ran.code, "is the key of nobody in" in ran.err)
    _approved(guarded, keys.make("bob", "bob@example.com"))
    keys.signers.write_text("")
    _refused(guarded, "bob@example.com.json: no signature of anybody in")


def test_an_expired_approval(guarded: Cli, keys: Keys) -> None:
    """An approval counts for a day, and then no more."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    assert 0 == guarded("sandbox", "clock", "--advance", "25h").code
    _refused(guarded, "bob@example.com.json: it expired ")


def test_an_approval_counts_as_long_as_the_environment_says(cli: Cli, keys: Keys) -> None:
    """`valid_for` bounds it, also one that was signed while the bound was wider."""
    _guard(cli, keys, more=", valid_for: 2d")
    cli("plan", "--out", "plan.json")
    _approved(cli, keys.make("bob", "bob@example.com"))
    cli("sandbox", "clock", "--advance", "25h")
    cli.edit("valid_for: 2d", "valid_for: 1h", "provision.yaml")
    _refused(cli, "it expired ")
    cli.edit("valid_for: 1h", "valid_for: 2d", "provision.yaml")
    assert 0 == cli("apply", "plan.json").code


def test_a_plan_that_changed_after_its_approval(guarded: Cli, keys: Keys) -> None:
    """An approval is of one plan: another one in its file, even with the same changes, has none."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    guarded.write(PAYROLL + REPORT)
    _guard(guarded, keys)
    assert 0 == guarded("plan", "--out", "plan.json").code
    _refused(guarded, "it approves another plan")


def test_a_plan_that_is_made_again(guarded: Cli, keys: Keys) -> None:
    """An approval is of one saved plan: the same changes planned at another moment want their own."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    digest = json.loads((guarded.root / "plan.json").read_text())["digest"]
    guarded("sandbox", "clock", "--advance", "1h")
    assert 0 == guarded("plan", "--out", "plan.json").code
    assert digest == json.loads((guarded.root / "plan.json").read_text())["digest"]
    _refused(guarded, "it approves another plan")


def test_an_author_who_renames_themselves(guarded: Cli, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """The author stands in what is signed, so nobody takes an approval along under another name."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    monkeypatch.setenv("PROVISION_AUTHOR", "carol@example.com")
    digest = json.loads((guarded.root / "plan.json").read_text())["digest"]
    assert 0 == guarded("plan", "--out", "plan.json").code
    assert digest == json.loads((guarded.root / "plan.json").read_text())["digest"]
    _refused(guarded, "it approves another plan")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('"expires_at": "20', '"expires_at": "21', "no signature of anybody in"),
        ('"author": "alice', '"author": "carol', "no signature of anybody in"),
        ("BEGIN SSH SIGNATURE", "BEGIN", "no signature of anybody in"),
        ('"format": 1', '"format": 2', "has none"),
        ("{", "", "has none"),
    ],
)
def test_an_edited_approval(guarded: Cli, keys: Keys, before: str, after: str, words: str) -> None:
    """Whatever is changed in an approval, it proves nothing any more."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    path = guarded.root / "plan.json.approvals" / "bob@example.com.json"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after, 1))
    _refused(guarded, words)


def test_a_signature_for_something_else(guarded: Cli, keys: Keys) -> None:
    """A signature of the same text in another namespace, as of a git commit, is no approval."""
    bob = keys.make("bob", "bob@example.com")
    _approved(guarded, bob)
    path = guarded.root / "plan.json.approvals" / "bob@example.com.json"
    document = json.loads(path.read_text())
    text = json.dumps(document["statement"], sort_keys=True, separators=(",", ":")) + "\n"
    for namespace, code in (("git", 3), ("provision", 0)):
        signed = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-f", bob, "-n", namespace],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        path.write_text(json.dumps(document | {"signature": signed.stdout}))
        assert code == guarded("apply", "plan.json").code


def test_two_approvals_are_of_two_people(cli: Cli, keys: Keys) -> None:
    """One person with two keys is one approver, and a second person makes two."""
    _guard(cli, keys, required=2)
    cli("plan", "--out", "plan.json")
    _approved(cli, keys.make("bob", "bob@example.com"))
    _refused(cli, "test asks for 2 approvals, and has bob@example.com")
    _approved(cli, keys.make("laptop", "bob.laptop@example.com,bob@example.com"))
    _refused(cli, "approved it already")
    _approved(cli, keys.make("carol", "carol@example.com"))
    assert 0 == cli("apply", "plan.json").code


def test_only_where_it_is_asked_for(cli: Cli, keys: Keys) -> None:
    """A plan for another environment needs no approval, and cannot get one."""
    _guard(cli, keys)
    cli.edit("environments: [test]", "environments: [production]")
    cli.applied()
    cli.edit("general", "special")
    cli("plan", "--out", "plan.json")
    ran = cli("approve", "plan.json", "--key", keys.make("bob", "bob@example.com"))
    assert (1, True) == (ran.code, "no environment" in ran.err)


def test_what_was_begun_needs_no_second_approval(cli: Cli, keys: Keys) -> None:
    """What goes on with an operation that was begun before asks nobody again."""
    cli.write(KEY.replace("[test]", "[production]"))
    assert 5 == cli("apply", "--auto-approve").code
    asked = f"approvals: {{required: 1, signers: {keys.signers}}}"
    cli.edit("production: {kind: production,", f"production: {{kind: production, {asked},", "provision.yaml")
    assert 0 == cli("sandbox", "approve", "production/rpp").code
    assert "Apply: 1 done." == cli.applied().last


def test_no_signers_file(guarded: Cli, keys: Keys) -> None:
    """Without its file of signers an environment takes no plan, and says which file."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    keys.signers.unlink()
    ran = guarded("apply", "plan.json")
    assert (1, True) == (ran.code, f"there is no allowed-signers file {keys.signers}" in ran.err)
    assert [] == guarded.ledger("payspace", "test")


def test_without_openssh(guarded: Cli, keys: Keys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where ssh-keygen is not installed that is said, with what to install."""
    bob = keys.make("bob", "bob@example.com")
    git = shutil.which("git")
    assert git
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    ran = guarded("approve", "plan.json", "--key", bob)
    assert (1, True) == (ran.code, "openssh-client" in ran.err)


def test_what_is_signed_holds_no_secret_and_no_private_key_stays(guarded: Cli, keys: Keys) -> None:
    """An approval is its statement and its signature, and nothing else."""
    _approved(guarded, keys.make("bob", "bob@example.com"))
    document = json.loads((guarded.root / "plan.json.approvals" / "bob@example.com.json").read_text())
    assert {"format", "statement", "signature"} == set(document)
    assert {
        "project", "environments", "digest", "file", "author", "approved_at", "expires_at",
    } == set(document["statement"])  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "name"), [("alice@example.com", "alice@example.com"), ("  bob ", "bob")]
)
def test_who_made_a_plan(cli: Cli, monkeypatch: pytest.MonkeyPatch, environment: str, name: str) -> None:
    """PROVISION_AUTHOR names the author."""
    monkeypatch.setenv("PROVISION_AUTHOR", environment)
    assert name == cli("plan", "--json").json["author"]


def test_git_names_the_author(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PROVISION_AUTHOR it is git's user.email, and without that the login."""
    monkeypatch.delenv("PROVISION_AUTHOR", raising=False)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.email")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "dora@example.com")
    assert "dora@example.com" == cli("plan", "--json").json["author"]
    monkeypatch.setenv("PATH", "/nowhere")
    author = cli("plan", "--json").json["author"]
    assert ("@" in author, "pid" in author) == (True, False)
