"""Manifests of OAuth clients: what RFC 7591 lets them say, and the problems of what it does not."""

from __future__ import annotations

import pytest
from declared import DECLARATIONS, Write, declaration

from provisioner.errors import ManifestInvalid
from provisioner.manifest import load

PROJECT = """
project: payments
environments: {test: {kind: test, recipients: [age1testtesttest]}}
providers: {oauth2: {test: {endpoint: "https://as.example.com", auth: {token: {env: TOKEN}}}}}
"""
CREDENTIAL = """
credentials:
  ledger:
    provider: oauth2
    owner: team-ledger
    environments: [test]
"""
WHOLE = """\
    description: nightly export
    scopes: [ledger:read, "https://api.example.com/auth/ledger.write"]
    settings:
      grant_types: [authorization_code, refresh_token, "urn:ietf:params:oauth:grant-type:device_code"]
      token_endpoint_auth_method: client_secret_post
      redirect_uris: [https://app.example.com/back, com.example.app:/back]
      contacts: [ops@example.com]
      client_uri: https://example.com
"""


def _problems(write: Write, fields: str) -> list[str]:
    root = write({"provision.yaml": PROJECT, "credentials/a.yaml": CREDENTIAL + fields})
    try:
        load(root, {**DECLARATIONS, "oauth2": declaration("oauth2")})
    except ManifestInvalid as invalid:
        return list(invalid.problems)
    return []


@pytest.mark.parametrize(
    "fields", ["", "    scopes: [ledger:read]\n", WHOLE], ids=["bare", "scopes", "whole"]
)
def test_what_an_oauth_client_can_say(write: Write, fields: str) -> None:
    """Nothing but provider and owner is needed, and all that RFC 7591 means for people is taken."""
    assert [] == _problems(write, fields)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            "    settings: {grant_types: [authorization_code]}\n",
            "7:16: authorization_code needs somewhere to send people back to: add `redirect_uris`",
        ),
        (
            '    scopes: ["a b"]\n',
            "7:14: a scope is printable ASCII without spaces, quotes and backslashes (RFC 6749, section 3.3),"
            " not 'a b'",
        ),
        (
            "    settings: {grant_types: [password]}\n",
            "7:30: a grant type is client_credentials, authorization_code, refresh_token, or a urn: of an"
            " extension, not 'password'",
        ),
        (
            "    settings: {token_endpoint_auth_method: none}\n",
            "7:44: a client with a secret authenticates by client_secret_basic or client_secret_post,"
            " not 'none'",
        ),
        (
            "    settings: {redirect_uris: [/back]}\n",
            "7:32: a redirect URI is absolute, such as https://app.example.com/callback, not '/back'",
        ),
    ],
)
def test_what_an_oauth_client_cannot_say(write: Write, fields: str, problem: str) -> None:
    """What no server could register is told with its place, before anybody is asked."""
    assert [f"credentials/a.yaml:{problem}"] == _problems(write, fields)
