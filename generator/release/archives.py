"""What is inside a wheel and a source distribution."""

import tarfile
import zipfile
from pathlib import Path


def members(archive: Path) -> dict[str, bytes]:
    """Every file in an archive by its name; of a source distribution without the first folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    content: dict[str, bytes] = {}
    with tarfile.open(archive) as distribution:
        for member in distribution.getmembers():
            if stream := distribution.extractfile(member):
                content[member.name.partition("/")[2]] = stream.read()
    return content
