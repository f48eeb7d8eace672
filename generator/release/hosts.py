"""The package indexes that this machine was told to use: their names are nobody else's business."""

import os
import re

from .tools import attempt, python

_HOST = re.compile(r"\w+://(?:[^/\s'@]*@)?([^/\s':]+)")
VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL")


def index_hosts() -> list[str]:
    """Hosts from the settings of pip and uv."""
    settings = attempt(*python("pip", "config", "list")).stdout.splitlines()
    said = [line for line in settings if "index" in line.partition("=")[0]]
    said += [os.environ.get(name, "") for name in VARIABLES]
    return sorted({host for line in said for host in _HOST.findall(line)})
