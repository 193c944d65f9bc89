"""Our own authority at a vendor: whether what a plan asks for is ours to ask (FP3)."""

from __future__ import annotations

from collections.abc import Collection

from provisioner.core.privilege import Includes, covers
from provisioner.core.provider import Authority


def flaw(provider: str, authority: Authority, asked: Collection[str], includes: Includes) -> str:
    """Why our own credential may not make one with these scopes, and what to do; empty where it may.

    Without scopes, whether it may change one at all.
    """
    ours = f"the credential that provision works with at {provider}"
    held = f" ({', '.join(sorted(authority.scopes))})" if authority.scopes else ""
    rule = f" ({authority.rule})" if authority.rule else ""
    if not authority.writes:
        return f"{ours}{held} may create and change nothing{rule}: work with one that may"
    if authority.scopes is None or covers(asked, authority.scopes, includes):
        return ""
    return (
        f"{ours}{held} may not create {', '.join(asked)}{rule}:"
        " ask for less, or work with one that has it itself"
    )
