"""A file that is published is put in the place of a file, and of nothing else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from provisioner.cli.publishing import FOR_US, write_whole
from provisioner.errors import ProvisionError


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """What is no file, such as a pipe or /dev/null, is still there, and its reader has the text."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_whole(pipe, "text", FOR_US)
    assert (True, [pipe]) == (pipe.is_fifo(), list(tmp_path.iterdir()))
    reader.join()
    assert ["text"] == read


def test_a_full_device(tmp_path: Path) -> None:
    """A device that takes nothing is an error in words."""
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    with pytest.raises(ProvisionError, match="full cannot be written: No space left on device"):
        write_whole(link, "text", FOR_US)
    assert [link] == list(tmp_path.iterdir())


def test_a_link_leads_to_the_file(tmp_path: Path) -> None:
    """Through a link the file that it leads to is written, and the link stays."""
    (tmp_path / "artifacts").mkdir()
    link = tmp_path / "plan.json"
    link.symlink_to("artifacts/plan.json")
    write_whole(link, "text", FOR_US)
    assert (True, "text") == (link.is_symlink(), (tmp_path / "artifacts" / "plan.json").read_text())


def test_a_link_to_itself(tmp_path: Path) -> None:
    """A link that leads to nothing but itself gives way to the file, and nothing is left beside it."""
    link = tmp_path / "plan.json"
    link.symlink_to(link)
    write_whole(link, "text", FOR_US)
    assert ("text", [link]) == (link.read_text(), list(tmp_path.iterdir()))
