"""Build the documentation site into `build/site/html`, or serve it while you write."""

import argparse
import subprocess
import sys
import time

from .. import paths
from ..commands import python
from . import output, pages, reference

FOLDER = paths.ROOT / "build" / "site"
SOURCES = FOLDER / "pages"
SITE = FOLDER / "html"


def main(arguments: list[str] | None = None) -> int:
    """Build or serve the site, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m generator.site", description=__doc__)
    parser.add_argument(
        "--serve", action="store_true", help="serve the site, and update it when docs/ changes"
    )
    options = parser.parse_args(arguments)
    made = reference.pages()
    pages.write(SOURCES, made)
    if options.serve:
        return _serve(made)
    pages.clean(SITE)
    command = python("zensical", "build", "--strict", "--clean", "--config-file", pages.CONFIG)
    if status := subprocess.run(command, cwd=paths.ROOT, check=False).returncode:
        return status
    settings = pages.config()
    texts = {
        file: reference.as_markdown(SOURCES.joinpath(file).read_text("utf-8"))
        for _, _, file in pages.in_order(settings["nav"])
    }
    output.add_texts(SITE, texts, settings)
    found = [*output.faults(SITE)]
    print("\n".join(found) if found else f"{SITE / output.FIRST}: open it in a browser")
    return 1 if found else 0


def _serve(made: dict[str, str]) -> int:
    """Serve until interrupted; pages from the code are not updated."""
    command = python("zensical", "serve", "--config-file", pages.CONFIG)
    with subprocess.Popen(command, cwd=paths.ROOT) as server:
        try:
            while server.poll() is None:
                pages.write(SOURCES, made)
                time.sleep(1)
        except KeyboardInterrupt:
            server.terminate()
    return server.returncode or 0


if __name__ == "__main__":
    sys.exit(main())
