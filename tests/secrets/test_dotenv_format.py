"""What is written is read alike by sh, bash and python-dotenv; the rest of a file stays as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.secrets.dotenv_format import is_name, quote, set_values

SHELLS = [shell for shell in ("sh", "bash") if shutil.which(shell)]

TRICKY = [
    "",
    "plain-Value_1.2/3:4@5%6+7=8,9",
    "with space",
    " leading and trailing ",
    "tab\tand\nnewline\n",
    "it's",
    'say "hi"',
    "both ' and \"",
    "dollar $HOME",
    "$",
    "back`tick`",
    "back\\slash",
    "double\\\\slash",
    "ends with\\",
    "\\n is no newline",
    "# no comment",
    "a #comment",
    "a#b",
    "~/home",
    "a:~b",
    "*",
    "!event",
    "a;b&c|d<e>f(g)h",
    "KEY=value\nOTHER=x",
    "ünïcødé ☃ 𝄞",
    "\u2028\u0085\u00a0",
    "{a,b}",
    "\x01\x7f\x1b[0m",
    "export A=1",
]
"""Values that some quoting gets wrong, and ours writes."""

AMBIGUOUS = [
    "${HOME}",
    "$ and '",
    "$ and \\\\",
    "$ at the end \\",
    "`' ",
    "cr\rlf",
    "crlf\r\n",
    "nul\0",
    "\udc80",
]
"""Values for which no text is read alike everywhere."""

letters = st.text(st.characters(), max_size=12)
hostile = st.text(st.sampled_from("aB1 '\"\\$`{}#=!~\n\t\r\0é;&"), max_size=12)


def _by_shell(shell: str, path: Path, name: str) -> str:
    script = f'set -ae; . "$1"; printf %s. "${{{name}}}"'
    done = subprocess.run([shell, "-c", script, shell, str(path)], capture_output=True, check=True)
    return done.stdout.decode().removesuffix(".")


def _assert_read_alike(value: str, written: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some.env")
        text = set_values("BEFORE=1\nexport  KEY='old\nlines'\nAFTER=2\n", {"KEY": written})
        path.write_bytes(text.encode())
        expected = {"BEFORE": "1", "KEY": value, "AFTER": "2"}
        assert expected == dotenv_values(path)
        for shell in SHELLS:
            assert expected == {name: _by_shell(shell, path, name) for name in expected}


@pytest.mark.parametrize("value", TRICKY)
def test_tricky_value(value: str) -> None:
    """A value that is easy to get wrong is read as it was by shells and by python-dotenv."""
    written = quote(value)
    assert written is not None
    _assert_read_alike(value, written)


@given(value=letters | hostile)
@settings(max_examples=150, deadline=None)
def test_any_value(value: str) -> None:
    """Whatever is written is read as it was by shells and by python-dotenv."""
    written = quote(value)
    if written is not None:
        _assert_read_alike(value, written)


@pytest.mark.parametrize("value", AMBIGUOUS)
def test_ambiguous_value(value: str) -> None:
    """A value that readers would read differently is not written at all."""
    assert quote(value) is None


@given(value=st.text(st.characters(codec="utf-8", exclude_characters="$`\r\0")))
def test_only_few_are_ambiguous(value: str) -> None:
    """A value without dollar, backtick, carriage return and NUL can always be written."""
    assert quote(value) is not None


@given(value=st.from_regex(r"[A-Za-z0-9_./:@%+=,-]*", fullmatch=True))
def test_usual_secrets_are_bare(value: str) -> None:
    """What keys and tokens are made of is written bare, as `docker run --env-file` needs it."""
    assert value == quote(value)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "KEY=new\n"),
        ("KEY=old", "KEY=new\n"),
        ("A=1", "A=1\nKEY=new\n"),
        ("# about KEY=\n\nA=1\n", "# about KEY=\n\nA=1\nKEY=new\n"),
        ("KEY=old # note\nA=1\n", "KEY=new\nA=1\n"),
        ("export KEY=old\n", "export KEY=new\n"),
        ("  export\tKEY=old\n", "  export\tKEY=new\n"),
        ("KEY = old\nA=1\n", "KEY=new\nA=1\n"),
        ("KEY='two\nlines'\nA=1\n", "KEY=new\nA=1\n"),
        ('KEY="two \\" lines\n"\nA=1\n', "KEY=new\nA=1\n"),
        ("KEY='it\\'s\nB=2'\nA=1\n", "KEY=new\nA=1\n"),
        ("KEY='a\\'\nB='x'\n", "KEY=new\nB='x'\n"),
        ("KEY='unbalanced\nA=1\n", "KEY=new\nA=1\n"),
        ("A='\nKEY=inside\n'\n", "A='\nKEY=inside\n'\nKEY=new\n"),
        ('A="\nKEY=inside\n" # end\n', 'A="\nKEY=inside\n" # end\nKEY=new\n'),
        ("A=it's\nKEY=old\n", "A=it's\nKEY=new\n"),
        ("KEY=1\nA=2\nKEY=3\n", "KEY=new\nA=2\n"),
        ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\nB=2\r\n"),
        ("A='x'\r\nKEY='old'\r\n", "A='x'\r\nKEY=new\n"),
        ("\ufeffKEY=old\n", "\ufeffKEY=new\n"),
        ("MY_KEY=1\nKEYS=2\nKEY_=3\nkey=4\n", "MY_KEY=1\nKEYS=2\nKEY_=3\nkey=4\nKEY=new\n"),
        ("KEY\nexport KEY\n", "KEY\nexport KEY\nKEY=new\n"),
        ("garbage ' \" = \\\n", "garbage ' \" = \\\nKEY=new\n"),
    ],
)
def test_the_rest_is_kept(before: str, after: str) -> None:
    """Setting one name keeps every other line, comment, order and `export`; twice is as good as once."""
    assert after == set_values(before, {"KEY": "new"})
    assert after == set_values(after, {"KEY": "new"})


_QUOTED = re.compile(r"""=[^\S\n]*['"]""")


@given(text=st.text(st.sampled_from("AKEY='\"\\\n\r #x$"), max_size=40), value=letters | hostile)
@settings(max_examples=300)
def test_setting_twice_is_setting_once(text: str, value: str) -> None:
    """Whatever the file holds, the same again changes nothing; a sink refuses where a quote stays open."""
    written = {"KEY": quote(value) or "x"}
    once = set_values(text, written)
    assert once == set_values(once, written) or _QUOTED.search(text)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("KEY", True),
        ("_k9", True),
        ("9K", False),
        ("A-B", False),
        ("A B", False),
        ("", False),
        ("A\n", False),
        ("É", False),
    ],
)
def test_names(name: str, good: bool) -> None:
    """A name is one that a shell takes for a variable."""
    assert good == is_name(name)
