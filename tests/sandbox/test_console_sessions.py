"""Who may work in a console: signing in and out, forms of one's own, and each form once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from console_visit import FORM, Visitor

from provisioner.sandbox.world import Sandbox

NEW = {"label": "payroll", "scope": "read-only"}


@pytest.fixture
def visitor(sandbox: Sandbox) -> Visitor:
    return Visitor.signed_in(sandbox, "payspace")


def live(sandbox: Sandbox) -> int:
    return len([one for one in sandbox.ledger("payspace", "test") if one.ended_at is None])


def test_the_cookie_is_for_this_tenant_and_no_script(sandbox: Sandbox) -> None:
    """The session's cookie is HttpOnly, SameSite=Strict, ends, and is sent to this tenant alone."""
    visitor = Visitor(sandbox, "payspace")

    answer = visitor.post("sign-in", {"password": sandbox.token("payspace", "test")})

    _, *attributes = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "Max-Age=28800", "Path=/payspace/test/", "SameSite=strict"} == set(attributes)


@pytest.mark.parametrize("vendor", ["payspace", "fpay"])
def test_only_the_tenants_own_password_signs_in(sandbox: Sandbox, vendor: str) -> None:
    """Nothing, a guess, another tenant's and another vendor's password are refused, and set no cookie."""
    visitor = Visitor(sandbox, vendor)
    others = [sandbox.token(vendor, "production"), sandbox.token("paynet", "test"), "", "x", "päss"]

    for password in others:
        answer = visitor.post("sign-in", {"password": password})
        assert 403 == answer.status_code
        assert "set-cookie" not in answer.headers
    assert 303 == visitor.get().status_code


def test_a_session_opens_no_other_tenant(sandbox: Sandbox) -> None:
    """The cookie of test, sent to production by hand, is nobody's there."""
    visitor = Visitor.signed_in(sandbox, "payspace", "test")
    secret = visitor.cookies["console"]

    answer = visitor.get("/payspace/production/console/", headers={"cookie": f"console={secret}"})

    assert 200 == visitor.get(headers={"cookie": f"console={secret}"}).status_code
    assert 303 == answer.status_code


ENDS: dict[str, Callable[[Visitor], object]] = {
    "eight hours": lambda visitor: visitor.sandbox.advance(8 * 3600),
    "signed out": lambda visitor: visitor.send("sign-out", page=""),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_session_ends(sandbox: Sandbox, visitor: Visitor, end: str) -> None:
    """After eight hours, or once signed out, the cookie is worth nothing, and nor is a form made before."""
    token, cookie = visitor.token("new", "new"), {"cookie": f"console={visitor.cookies['console']}"}
    assert 200 == visitor.get(headers=cookie).status_code

    ENDS[end](visitor)

    assert 303 == visitor.get(headers=cookie).status_code
    assert 403 == visitor.post("new", {**NEW, "form": token}, headers=cookie).status_code
    assert 0 == live(sandbox)


def test_ended_sessions_and_their_forms_are_forgotten(sandbox: Sandbox, visitor: Visitor) -> None:
    """Signing in clears away what ended: the sandbox does not grow with visits."""
    visitor.send("new", **NEW)
    sandbox.advance(8 * 3600)
    Visitor.signed_in(sandbox, "payspace")

    with sandbox.tenancy("payspace", "test") as data:
        assert [1, 0] == [len(data.all_stored(kind)) for kind in ("console-session", "console-form")]


def test_the_cookie_is_not_kept_at_the_vendor(sandbox: Sandbox, visitor: Visitor) -> None:
    """The vendor's data hold a digest of the session, not the session."""
    with sandbox.tenancy("payspace", "test") as data:
        assert visitor.cookies["console"] not in repr(data.all_stored("console-session"))


def test_forged_forms_are_refused(sandbox: Sandbox, visitor: Visitor) -> None:
    """A form without a token, with another session's, another form's, or from another site does nothing."""
    other = Visitor.signed_in(sandbox, "payspace").token("new", "new")
    token = visitor.token("new", "new")
    elsewhere = visitor.token("", "sign-out")
    tampered = f"x{token[1:]}" if token[0] != "x" else f"y{token[1:]}"

    forged = [{}, {"form": ""}, {"form": "ü.é"}] + [{"form": one} for one in (other, elsewhere, tampered)]
    answers = [visitor.post("new", {**NEW, **one}) for one in forged]
    for origin in ("http://evil.example", "null", "http://sandbox.evil.example"):
        answers.append(visitor.post("new", {**NEW, "form": token}, headers={"origin": origin}))

    assert [403] * 9 == [answer.status_code for answer in answers]
    assert (0, 0) == (live(sandbox), sandbox.writes())
    sent = visitor.post("new", {**NEW, "form": token}, headers={"origin": "http://sandbox"})
    assert (200, 1) == (sent.status_code, live(sandbox))


def test_forms_of_another_site_sign_nobody_in(sandbox: Sandbox) -> None:
    """A page of another site cannot sign a person in to an account that is not theirs."""
    visitor = Visitor(sandbox, "payspace")
    password = {"password": sandbox.token("payspace", "test")}

    assert 403 == visitor.post("sign-in", password, headers={"origin": "http://evil.example"}).status_code


def test_a_form_takes_effect_once(sandbox: Sandbox, visitor: Visitor) -> None:
    """The same form sent again, as by reloading, does nothing again and shows nothing again."""
    form = {**NEW, "form": visitor.token("new", "new")}

    first, again = visitor.post("new", form), visitor.post("new", form)

    assert (200, 409) == (first.status_code, again.status_code)
    assert (1, 1) == (live(sandbox), sandbox.writes())
    secret = re.findall(r'id="client_secret"[^>]*value="([^"]+)"', first.text)
    assert len(secret) == 1 and secret[0] not in again.text


def test_a_refused_form_can_be_sent_again(sandbox: Sandbox, visitor: Visitor) -> None:
    """What the vendor refused has not spent its form, and left nothing behind."""
    token = visitor.token("new", "new")

    refused = visitor.post("new", {"label": "payroll", "scope": "full-access", "form": token})
    mended = visitor.post("new", {"label": "payroll", "scope": "read-only", "form": token})

    assert (422, 200) == (refused.status_code, mended.status_code)
    assert (1, 1) == (live(sandbox), sandbox.writes())


def test_only_effects_count_as_writes(sandbox: Sandbox) -> None:
    """Pages, refusals, signing in and out, and revealing are no writes; each effect is one."""
    visitor = Visitor.signed_in(sandbox, "paynet")
    visitor.send("new", label="")
    assert 0 == sandbox.writes()

    item = visitor.send("new", label="x", scopes="rpp:merchant").headers["location"].partition("?")[0]
    path = item.removeprefix(visitor.home)
    for _ in range(2):
        assert 200 == visitor.send(f"{path}/reveal", page=path).status_code
    assert 1 == sandbox.writes()

    visitor.send(f"{path}/change", page=path, label="y")
    visitor.send(f"{path}/renew")
    visitor.send(f"{path}/revoke")
    visitor.send("sign-out", page="")
    assert 4 == sandbox.writes() == sandbox.writes("paynet", "test")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"label": "x"}', {"content-type": "application/json"}, 415),
        (b"label=x", {}, 415),
        (b"label=%ff", FORM, 400),
        (b"a=1&" * 300, FORM, 400),
        (b"x" * 70_000, FORM, 413),
    ],
)
def test_only_forms_are_read(visitor: Visitor, content: bytes, headers: dict[str, str], status: int) -> None:
    """A body that is no form, of another type, malformed, of too many fields or too large is refused."""
    assert status == visitor.request("POST", "new", content=content, headers=headers).status_code


def test_fields_that_a_form_does_not_have_are_refused(sandbox: Sandbox, visitor: Visitor) -> None:
    """A field that the page does not offer is an error, not ignored."""
    answer = visitor.send("new", **NEW, client_secret="chosen")

    assert 400 == answer.status_code
    assert 0 == live(sandbox)
