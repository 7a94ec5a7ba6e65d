"""What the composition root does before anything else can go wrong."""

from __future__ import annotations

import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chatapp import bootstrap
from chatapp.errors import SettingsError, StorageError


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with bootstrap.listen("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(SettingsError, match=f"127.0.0.1:{port}: Address already in use"):
            bootstrap.listen("127.0.0.1", port)


def test_small_answers_are_sent_at_once() -> None:
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP.
    with bootstrap.listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    first = bootstrap.kept_secret(path)
    assert len(first) == 64
    assert bootstrap.kept_secret(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_starts_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(bootstrap.kept_secret, [tmp_path / "secret.key"] * 32))
    assert len(secrets) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="CHATAPP_DATA") as caught:
        bootstrap.make_folder(tmp_path / "file" / "data")
    assert str(tmp_path / "file" / "data") in caught.value.sentence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_data_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="cannot be written to"):
        bootstrap.make_folder(tmp_path)
