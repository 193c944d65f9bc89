"""octoDNS beside us: its YAML provider as source and as target, with as many records as we have addresses.

Nothing is different between the two, so its plan is empty. Both sides are read from YAML files; octoDNS keeps
no state, so this is the least that it can do.
"""

from __future__ import annotations

import shutil
from ipaddress import ip_address
from pathlib import Path

from benchmarks import tools
from benchmarks.processes import Contestant

CONFIG = """\
providers:
  config:
    class: octodns.provider.yaml.YamlProvider
    directory: ./config
    default_ttl: 300
    enforce_order: false
  target:
    class: octodns.provider.yaml.YamlProvider
    directory: ./target
    default_ttl: 300
    enforce_order: false
    supports_root_ns: false
zones:
  measured.example.:
    sources: [config]
    targets: [target]
"""


def contestant(folder: Path, records: int) -> Contestant:
    """A plan without a change."""
    for side in ("config", "target"):
        (folder / side).mkdir(parents=True)
    (folder / "octodns.yaml").write_text(CONFIG)
    (folder / "config" / "measured.example.yaml").write_text(_zone(records))
    shutil.copy(folder / "config" / "measured.example.yaml", folder / "target" / "measured.example.yaml")
    sync = tools.python().parent / "octodns-sync"
    return Contestant("octoDNS, no change", (str(sync), "--config-file", "octodns.yaml", "--quiet"), folder)


def _zone(records: int) -> str:
    return "".join(
        f"key-{number:06}:\n  type: A\n  ttl: 300\n  value: {ip_address((10 << 24) + number)}\n"
        for number in range(records)
    )
