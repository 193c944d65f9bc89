"""API credentials as code: read manifests, plan, and apply without ever losing a secret.

The way of the data, the words and the doors between the packages are told in CONTRIBUTING.md.
"""

from __future__ import annotations

__version__ = "0.1.0"
