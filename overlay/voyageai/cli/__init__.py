r"""The command line `voyageai`: embed, rerank, search and run batch jobs, in scripts or by hand.

    printf 'a\nb\n' | voyageai embed -m voyage-4 > vectors.jsonl

It needs the extra `cli`. The commands are thin: they parse arguments, read rows, call the client,
and write rows. `program.py` loads commands and maps errors to exit statuses, `output.py` writes
results and notes, `rows.py` reads rows, and `options.py` has the options that commands share.
"""

from __future__ import annotations

import sys
from typing import Any


def main() -> None:
    """Run the command line with the arguments of the process, and exit with its status.

    Without click, say how to install it and exit with 2.
    """
    streams: list[Any] = [sys.stdout, sys.stderr]
    for stream in streams:
        # Whatever the code page of a console or the locale, output is UTF-8.
        if stream is not None and hasattr(stream, "reconfigure"):  # closed by the shell
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        from .program import program
    except ImportError as error:
        if error.name != "click":
            raise
        from ..extras import install

        sys.stderr.write(f"voyageai: the command line needs click: {install('cli')}\n")
        raise SystemExit(2) from None
    program.main(prog_name="voyageai")
