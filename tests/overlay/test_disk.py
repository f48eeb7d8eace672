"""Opening files without following links, without blocking, and readable only by their user."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from voyageai.disk import (
    NotRegularError,
    check_folder,
    check_regular,
    make_folder,
    open_regular,
    private_opener,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes and pipes")
MODES = ["rb", "r+b", "ab", "a+b", "wb", "xb"]


def mode(path: Path) -> str:
    """Return the permission bits of a file."""
    return oct(stat.S_IMODE(path.lstat().st_mode))


@pytest.fixture(params=[0, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Set a umask for the test."""
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.fixture(params=["everywhere", "as on Windows"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test normally, and without the flags that Windows lacks."""
    if request.param == "as on Windows":
        monkeypatch.delattr(os, "O_NOFOLLOW")
        monkeypatch.delattr(os, "O_NONBLOCK")


@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize(
    ("kind", "description"),
    [
        ("link", "a symbolic link"),
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        ("folder", "a folder"),
        ("device", "a device"),
    ],
)
def test_only_a_regular_file_is_opened(
    system: None, tmp_path: Path, how: str, kind: str, description: str
) -> None:
    """The error comes at once, says what the path is, and leaves it untouched."""
    path, mine = tmp_path / "path", tmp_path / "mine"
    mine.write_text("my notes")
    match kind:
        case "link":
            path.symlink_to(mine)
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(os.fspath(path))
        case "folder":
            path.mkdir()
        case _:
            path = Path("/dev/null")
    with pytest.raises(NotRegularError) as raised:
        open_regular(path, how)
    assert f"{path} is {description}, and must be a file: remove it, or take another folder" == str(
        raised.value
    )
    assert "my notes" == mine.read_text()
    assert path.exists()


@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("how", ["rb", "r+b", "ab", "a+b", "xb"])
def test_a_link_or_pipe_planted_before_opening_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, kind: str
) -> None:
    """Checking before opening is not enough in a folder where others can write."""
    path, mine = tmp_path / "path", tmp_path / "mine"
    mine.write_text("my notes")
    path.touch()
    looked = Path.lstat

    def plant(self: Path) -> os.stat_result:
        found = looked(self)
        monkeypatch.undo()
        path.unlink()
        path.symlink_to(mine) if kind == "link" else os.mkfifo(path)
        return found

    monkeypatch.setattr(Path, "lstat", plant)
    with pytest.raises(NotRegularError, match=r"is a symbolic link|is a named pipe"):
        open_regular(path, how)
    assert "my notes" == mine.read_text()


def test_a_file_that_is_written_anew_has_no_other_name(tmp_path: Path) -> None:
    """Other hard links keep the old content, so no unrelated file is overwritten."""
    path, mine = tmp_path / "path", tmp_path / "mine"
    mine.write_text("my notes")
    path.hardlink_to(mine)
    with open_regular(path, "wb") as file:
        file.write(b"new")
    assert ("my notes", "new") == (mine.read_text(), path.read_text())


@pytest.mark.parametrize("how", ["ab", "a+b", "wb", "xb"])
def test_only_its_user_can_read_a_file_whatever_the_umask(
    umask: int, tmp_path: Path, how: str
) -> None:
    """No one else can read it even briefly, and the umask can't lock out the user."""
    with open_regular(tmp_path / "new", how):
        assert "0o600" == mode(tmp_path / "new")
    assert umask == os.umask(umask)


def test_a_file_is_made_where_there_is_none_and_kept_where_there_is_one(
    umask: int, tmp_path: Path
) -> None:
    """The next process reads the content of a lock file."""
    path = tmp_path / "lock"
    for expected in (b"", b"process 1"):
        with open_regular(path, "r+b", create=True) as file:
            assert expected == file.read()
            file.seek(0)
            file.write(b"process 1")
    assert ("0o600", 9) == (mode(path), check_regular(path).st_size)
    path.unlink()
    assert check_regular(path) is None
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotRegularError, match="is a symbolic link"):
        open_regular(path, "r+b", create=True)
    assert not (tmp_path / "nowhere").exists()
    assert umask == os.umask(umask)


@pytest.mark.parametrize(("how", "expected"), [("ab", "0o600"), ("r+b", "0o600"), ("rb", "0o644")])
def test_a_file_that_others_could_read_is_closed_to_them_when_it_is_written_to(
    tmp_path: Path, how: str, expected: str
) -> None:
    """An older release may have left it readable; a file opened only to read stays unchanged."""
    path = tmp_path / "old"
    path.touch()
    path.chmod(0o644)
    open_regular(path, how).close()
    assert expected == mode(path)


def test_only_its_user_can_enter_a_folder_whatever_the_umask(umask: int, tmp_path: Path) -> None:
    """Parent folders created along with it are private too."""
    folder = tmp_path / "a" / "b" / "c"
    make_folder(folder)
    assert ["0o700"] * 3 == [mode(each) for each in (folder, folder.parent, folder.parent.parent)]
    folder.chmod(0o755)
    make_folder(folder)
    assert "0o700" == mode(folder)
    (folder / "file").touch()
    with pytest.raises(FileExistsError):
        make_folder(folder / "file")


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_is_neither_a_link_nor_a_file(tmp_path: Path, kind: str) -> None:
    """A link would lead the files elsewhere."""
    path = tmp_path / "path"
    check_folder(path)
    path.symlink_to(tmp_path) if kind == "link" else path.touch()
    with pytest.raises(NotRegularError, match=r"is a symbolic link, and must|is a file, and must"):
        check_folder(path)


def test_a_pipe_without_a_reader_is_not_waited_for(tmp_path: Path) -> None:
    """Opening the pipe would block forever; with a reader, writes block as usual."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(OSError, match="No such device or address"):
        open(path, "ab", buffering=0, opener=private_opener).close()
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open(path, "ab", buffering=0, opener=private_opener) as file:
        assert os.get_blocking(file.fileno())
    os.close(reader)
