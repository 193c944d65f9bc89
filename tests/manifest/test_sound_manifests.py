"""The quick way to read a project answers what the full way answers, or nothing, whatever its cache holds."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from declared import DECLARATIONS, Write
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from test_problem_cases import CASES, make

from provisioner.core.project import Project
from provisioner.errors import ManifestInvalid
from provisioner.manifest import sound, whole
from provisioner.manifest.cache import FOLDER, Cache
from provisioner.manifest.pages import Page

BASE = (Path(__file__).parent.parent / "problems" / "base.provision.yaml").read_text()

A = """\
credentials:
  payroll:
    provider: payspace
    owner: team-a
    description: "no: 'quotes' \\u2028 are lost"
    user: payroll-bot
    scopes: [full-access]
    labels: {z: "1", a: "2"}
    environments: {test: {settings: {development_mode: true}}, production: null}
    deliver: [app-env]
    rotate: {every: 60d, window: "Sat 02:00-05:00 Africa/Johannesburg"}
  ledger: {provider: paynet, owner: team-b, scopes: [rpp:merchant], environments: [test], previously: old}
removed:
  - {name: kiosk, reason: gone, environments: [test]}
"""
B = """\
credentials:
  shops:
    for_each: [north, south]
    name: shop-{key}
    provider: payspace
    owner: team-c
    scopes: [read-only]
    environments: [test, production]
"""
FILES = {"provision.yaml": BASE, "credentials/a.yaml": A, "credentials/b.yml": B}


@pytest.fixture(autouse=True)
def own_key(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the user's own, for the key."""
    home = tmp_path_factory.mktemp("cache-home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def _written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def _quick(root: Path) -> Project | None:
    return _comparable(sound.load(root, DECLARATIONS, small=0))


def _full(root: Path) -> Project | None:
    try:
        return _comparable(whole.load(root, DECLARATIONS))
    except ManifestInvalid:
        return None


def _comparable(project: Project | None) -> Project | None:
    """With one check in all policies: theirs are functions made of `require`, each equal to itself alone."""
    if project is None:
        return None
    return replace(project, policies=tuple(replace(one, misfit=no_check) for one in project.policies))


def no_check(_: object) -> None:
    """Stands for a policy's check."""


def _entries(root: Path) -> list[Path]:
    return sorted((root / FOLDER).iterdir())


def test_it_answers_what_the_full_way_answers(tmp_path: Path) -> None:
    """From cold, from its cache, and after an edit."""
    root = _written(tmp_path, FILES)
    assert _full(root) == _quick(root) == _quick(root) != None  # noqa: E711 (a project, and equal ones)
    before = {path.name for path in _entries(root)}
    _written(root, {"credentials/b.yml": B.replace("south", "west")})
    assert _full(root) == _quick(root)
    assert before < {path.name for path in _entries(root)}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_it_answers_nothing_where_there_is_a_problem(write: Write, path: Path) -> None:
    """Every manifest with a problem is left to the full way, also once others are in the cache."""
    case = yaml.safe_load(path.read_text())
    root = write(case.get("files", {}))
    for name, recipe in case.get("make", {}).items():
        make(root / name, recipe)
    assert (_full(root), _full(root)) == (_quick(root), _quick(root))


ENTRIES = st.lists(
    st.builds(
        "  {}: {{provider: {}, owner: {}, scopes: [read-only], environments: {}, deliver: {}{}}}".format,
        st.sampled_from(["a", "b", "c", "d"]),
        st.just("payspace"),
        st.sampled_from(["o", '"two words"']),
        st.sampled_from(["[test]", "[production]", "{test: {}, production: {owner: p}}", "[elsewhere]"]),
        st.sampled_from(["[]", "[app-env]", "[{to: app-env, as: {SAME: client_id}}]", "[nowhere]"]),
        st.sampled_from(["", "", "", ", previously: a", ", previously: z"]),
    ),
    min_size=1,
    max_size=2,
)
GONE = st.sampled_from(["", "", "removed: [{name: a, reason: r}]\n", "removed: [{name: z, reason: r}]\n"])
MANIFESTS = st.builds(
    lambda entries, gone: "credentials:\n" + "\n".join(entries) + "\n" + gone, ENTRIES, GONE
)


@settings(max_examples=50, deadline=None)
@given(st.lists(MANIFESTS, min_size=3, max_size=3), MANIFESTS)
def test_any_project_is_read_alike(texts: list[str], edited: str) -> None:
    """For any manifests, from cold, from the cache, and with one of them edited."""
    with tempfile.TemporaryDirectory() as folder:
        files = {f"credentials/{number}.yaml": text for number, text in enumerate(texts)}
        root = _written(Path(folder), {"provision.yaml": BASE, **files})
        for change in ({}, {}, {"credentials/1.yaml": edited}, {"credentials/1.yaml": texts[1]}):
            _written(root, change)
            assert _full(root) == _quick(root)


def _cut(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _emptied(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def _flipped(path: Path, _: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _swapped(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def _linked(path: Path, other: Path) -> None:
    path.unlink()
    path.symlink_to(other)


def _folder(path: Path, _: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path, _: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("harm", [_cut, _emptied, _flipped, _swapped, _linked, _folder, _pipe])
def test_a_harmed_cache_changes_nothing(tmp_path: Path, harm: Callable[[Path, Path], None]) -> None:
    """Entries that are cut, emptied, altered, swapped or no files at all count as none."""
    root = _written(tmp_path, FILES)
    expected = _quick(root)
    entries = _entries(root)
    for path, other in zip(entries, [*entries[1:], entries[0]], strict=True):
        harm(path, other)
    assert expected is not None
    assert expected == _quick(root)


def _forged(root: Path) -> Iterator[tuple[str, str]]:
    """Every page, saying that somebody else owns what it declares."""
    cache = Cache(root)
    for path in _entries(root):
        text = cache.get(path.name) or ""
        if "team-" in text:
            yield path.name, text.replace("team-", "evil-")


def test_what_another_hand_wrote_is_not_believed(
    tmp_path: Path, own_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries made with another user's key, as they may come with a checkout, count as none."""
    root = _written(tmp_path, FILES)
    expected = _quick(root)
    forged = list(_forged(root))
    assert forged
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    for name, text in forged:
        Cache(root).put(name, text)
    monkeypatch.setenv("XDG_CACHE_HOME", str(own_key))
    assert expected == _quick(root)


def test_what_this_user_wrote_is_believed(tmp_path: Path) -> None:
    """The cache is used: what stands in it under this user's key is what is read."""
    root = _written(tmp_path, FILES)
    _quick(root)
    for name, text in list(_forged(root)):
        Cache(root).put(name, text)
    read = _quick(root)
    assert read is not None
    assert {"evil-a", "evil-b", "evil-c"} == {one.local["owner"] for one in read.desired}


def test_a_key_that_others_may_read_is_none(tmp_path: Path, own_key: Path) -> None:
    """Nothing is believed, and nothing kept, by a key that is no secret."""
    root = _written(tmp_path, FILES)
    (own_key / "provision").mkdir()
    (own_key / "provision" / "key").write_bytes(b"k" * 32)
    (own_key / "provision" / "key").chmod(0o644)
    assert _quick(root) == _full(root)
    (own_key / "provision" / "key").unlink()
    (own_key / "provision").chmod(0o500)
    assert _quick(root) == _full(root)


def test_nothing_is_kept_for_a_small_project(tmp_path: Path) -> None:
    """A project of a few files leaves no folder behind, and is read the full way."""
    root = _written(tmp_path, FILES)
    assert sound.load(root, DECLARATIONS) is None
    assert not (root / FOLDER).exists()


def test_only_this_user_may_look(tmp_path: Path, own_key: Path) -> None:
    """Folder, entries and key are 0700 and 0600."""
    root = _written(tmp_path, FILES)
    _quick(root)
    paths = [
        root / FOLDER,
        (root / FOLDER).parent,
        *_entries(root),
        own_key / "provision",
        own_key / "provision" / "key",
    ]
    assert {0o700, 0o600} == {path.stat().st_mode & 0o777 for path in paths}


def test_another_world_finds_other_entries(tmp_path: Path) -> None:
    """What a provider declares is part of an entry's name: with another declaration none is found."""
    root = _written(tmp_path, FILES)
    _quick(root)
    before = set(_entries(root))
    other = {**DECLARATIONS, "payspace": replace(DECLARATIONS["payspace"], parts=("client_id",))}
    sound.load(root, other, small=0)
    assert len(FILES) < len(set(_entries(root)) - before)


def test_old_entries_go(tmp_path: Path) -> None:
    """The folder does not grow without end, and what is in use stays."""
    root = _written(tmp_path, FILES)
    for number in range(40):
        _written(root, {"credentials/b.yml": B.replace("south", f"s{number}")})
        _quick(root)
    assert 100 > len(_entries(root))
    names = {path.name for path in _entries(root)}
    _quick(root)
    assert names >= {path.name for path in _entries(root)}


def test_a_family_from_a_file_is_read_each_time(tmp_path: Path) -> None:
    """An element that changes in a file beside the manifests shows at once."""
    listed = B.replace("[north, south]", "{file: shops.yaml}")
    root = _written(tmp_path, {**FILES, "credentials/b.yml": listed, "shops.yaml": "[north, south]\n"})
    assert _full(root) == _quick(root)
    _written(root, {"shops.yaml": "[north, west]\n"})
    changed = _quick(root)
    assert changed is not None
    assert _full(root) == changed
    assert "shop-west" in {one.address.name for one in changed.desired}


def test_a_page_comes_back(tmp_path: Path) -> None:
    """What a page says is the same after it was text."""
    root = _written(tmp_path, FILES)
    _quick(root)
    cache = Cache(root)
    texts = [cache.get(path.name) or "" for path in _entries(root)]
    pages = [Page.parse(text) for text in texts if text.startswith('{"alone"')]
    assert len(FILES) == len(pages)
    assert [page.text() for page in pages] == [text for text in texts if text.startswith('{"alone"')]


def test_shares_are_made_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With several workers the project is the same."""
    from provisioner.manifest import workers

    root = _written(tmp_path, FILES)
    expected = _full(root)
    monkeypatch.setattr(workers, "A_SHARE", 1)
    monkeypatch.setattr(workers, "_processors", lambda: 3)
    assert expected == _quick(root)
    _written(root, {"credentials/b.yml": B.replace("payspace", "nobody")})
    assert _quick(root) is None


@pytest.mark.parametrize("link", [".provision", ".provision/cache"])
def test_a_link_leads_nowhere(tmp_path: Path, link: str) -> None:
    """Where the folder is a link, nothing is written or removed behind it."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "cache").mkdir(parents=True)
    root = _written(tmp_path / "project", FILES)
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(elsewhere)
    mine = [elsewhere / name for name in ("letter", "a" * 64)]
    for number in range(100):
        mine.append(elsewhere / f"{number:064x}")
    for path in [*mine, *(elsewhere / "cache" / path.name for path in mine)]:
        path.write_text("mine")
    before = sorted(elsewhere.rglob("*"))
    assert _full(root) == _quick(root)
    assert before == sorted(elsewhere.rglob("*"))


def test_a_file_of_somebody_else_stays(tmp_path: Path) -> None:
    """Only entries are dropped from the folder."""
    root = _written(tmp_path, FILES)
    _quick(root)
    for number in range(100):
        (root / FOLDER / f"{number:064x}").write_text("old")
    (root / FOLDER / "letter").write_text("mine")
    _quick(root)
    assert (root / FOLDER / "letter").exists()
    assert 100 > len(_entries(root))
