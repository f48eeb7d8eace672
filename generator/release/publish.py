"""Upload a release, and check that the index serves the same files."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from .. import git
from ..commands import ReleaseError, attempt, environment, python, run
from ..semver import version
from . import build, install

NAME = "voyageai"
TOKEN = "TWINE_PASSWORD"  # noqa: S105 - the variable's name, which twine gave it
# An index may take a minute to serve an uploaded file.
MAX_ATTEMPTS, DELAY = 12, 10.0


class Index(NamedTuple):
    """A package index; without URLs the one in the settings of twine and pip."""

    upload: str | None = None
    """URL for uploads."""
    simple: str | None = None
    """URL for pip."""


def publish(
    root: Path, built: Path, index: Index, wait: Callable[[float], None] = time.sleep
) -> str:
    """Upload a release, install it from the index, and run the smoke test.

    Args:
        root: Checkout that it was built from; its last commit must be tagged.
        built: Folder with the files and their checksums.
        index: Index to upload to.
        wait: Sleeps for some seconds.

    Returns:
        The output of the smoke test.

    Raises:
        ReleaseError: The files or the tag do not match the build, the version is already published,
            the upload is refused, or the index serves other files.
    """
    build.verify_sums(built)
    wheel = _single(built, "*.whl")
    files = [wheel, _single(built, "*.tar.gz")]
    released = parse_wheel_filename(wheel.name)[1]
    tag = version.tag(released)
    if git.tagged(root, tag) != git.run(root, "rev-parse", "HEAD"):
        raise ReleaseError(f"the last commit is not tagged {tag}; run `nox -s release` first")
    with tempfile.TemporaryDirectory() as folder:
        # An interrupted upload continues with the missing file.
        missing = [file for file in files if not fetch(file, released, index, Path(folder))]
        if not missing:
            raise ReleaseError(
                f"{NAME} {released} is already published, and can't be replaced; "
                "start the next one with `nox -s bump -- VERSION`"
            )
        upload(index, missing)
    return first_call(built, index, wait)


def first_call(built: Path, index: Index, wait: Callable[[float], None] = time.sleep) -> str:
    """Install an uploaded release from the index, and run the smoke test.

    Args:
        built: Folder with the built files and their checksums.
        index: Index that it was uploaded to.
        wait: Sleeps for some seconds.

    Returns:
        The output of the smoke test.

    Raises:
        ReleaseError: The index serves other files, or the smoke test fails.
    """
    build.verify_sums(built)
    wheel = _single(built, "*.whl")
    released = parse_wheel_filename(wheel.name)[1]
    require_published(released, index, [wheel, _single(built, "*.tar.gz")], wait)
    with tempfile.TemporaryDirectory() as folder:
        interpreter = install.make_environment(
            Path(folder, "installed"), install.requirements(wheel)
        )
        wanted = f"{NAME}=={released}"
        pip(index, "--python", interpreter, "install", "--no-deps", "--no-cache-dir", wanted)
        return install.run_smoke_test(interpreter).rstrip()


def upload(index: Index, files: list[Path]) -> None:
    """Upload files to an index, with a token from the environment or as a trusted publisher."""
    address = ("--repository-url", index.upload) if index.upload else ()
    command = ("upload", "--non-interactive", "--disable-progress-bar", *address, *files)
    token = os.environ.get(TOKEN)
    user = {"TWINE_USERNAME": os.environ.get("TWINE_USERNAME", "__token__")} if token else {}
    done = attempt(*python("twine", "--no-color", *command), env=environment(user))
    if done.returncode:
        output = f"{done.stdout}{done.stderr}".rstrip()
        raise ReleaseError(f"the upload failed:\n{_redacted(token, output)}")


def require_published(
    released: Version,
    index: Index,
    files: list[Path],
    wait: Callable[[float], None],
    max_attempts: int = MAX_ATTEMPTS,
) -> None:
    """Raise `ReleaseError` unless an index serves identical files within some attempts."""
    for file in files:
        for attempt_number in range(max_attempts):
            if attempt_number:
                wait(DELAY)
            with tempfile.TemporaryDirectory() as folder:
                fetched = fetch(file, released, index, Path(folder))
                if fetched and build.digest(fetched) != build.digest(file):
                    raise ReleaseError(
                        f"the index serves another {file.name} than was uploaded; warn its users"
                    )
                if fetched:
                    break
        else:
            raise ReleaseError(f"{file.name} was uploaded, but pip does not find it in the index")


def fetch(file: Path, released: Version, index: Index, folder: Path) -> Path | None:
    """Download a file of a release with pip; return None if the index does not have it."""
    kind = "--only-binary" if file.suffix == ".whl" else "--no-binary"
    done = attempt(
        *python("pip", "download", "--no-deps", "--no-cache-dir", "--no-build-isolation"),
        *("--dest", str(folder), *_address(index), kind, NAME, f"{NAME}=={released}"),
        env=_settings(index),
    )
    if done.returncode and "No matching distribution found" not in done.stderr:
        raise ReleaseError(f"pip can't reach the index:\n{done.stderr.rstrip()}")
    return None if done.returncode else folder / file.name


def pip(index: Index, *arguments: str | Path) -> None:
    """Run pip against an index."""
    run(*python("pip", *arguments, *_address(index)), env=_settings(index))


def _address(index: Index) -> tuple[str, ...]:
    return ("--index-url", index.simple) if index.simple else ()


def _settings(index: Index) -> dict[str, str]:
    """Return the environment variables, without settings of pip if the index has a URL."""
    if index.simple is None:
        return environment({})
    return environment({"PIP_CONFIG_FILE": os.devnull}, without=("PIP_",))


def _single(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise ReleaseError(f"{folder} must contain one file {pattern}, not {len(found)}")
    return found[0]


def _redacted(secret: str | None, text: str) -> str:
    return text.replace(secret, "***") if secret else text
