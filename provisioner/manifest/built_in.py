"""The policies that every project has, as data: each as `policies` of provision.yaml would write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisioner.core.model import JsonObject

BUILT_IN: Final[Mapping[str, JsonObject]] = {
    "production-ip-list": {
        "match": {"kind": "production"},
        "require": {
            "if": {"properties": {"vendor_fields": {"contains": {"const": "allow_ips"}}}},
            "then": {"required": ["allow_ips"]},
        },
        "message": "in production `allow_ips` says where a credential may be used from, if its vendor can",
        "level": "warn",
    },
    "year-old-secret": {
        "require": {
            "required": ["rotate_days"],
            "properties": {"rotate_days": {"maximum": 365}, "age_days": {"maximum": 365}},
        },
        "message": "no secret grows older than 365 days: `rotate.every` is at most 365d",
        "level": "warn",
    },
    "guarded-full-access": {
        "match": {"scopes": ["full-access", "FullAccess"]},
        "require": {
            "required": ["owner"],
            "properties": {"owner": {"minLength": 1}, "protect": {"const": True}},
        },
        "message": "full access has an owner, and is protected with `protect: true`",
        "level": "warn",
    },
}
"""Told, and never in the way, until a project says `level: deny`."""

ALWAYS: Final[Mapping[str, str]] = {
    "shared-sink-path": "test and production never deliver into the same file or secret"
}
"""What is no project's choice: it is a problem whenever manifests are read (manifest.deliveries)."""
