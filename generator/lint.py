"""`python -m generator.lint`: check `spec/` against its own rules."""

import sys
from pathlib import Path

from ruamel.yaml.error import YAMLError

from . import paths
from .checks import problems, read


def main(folder: Path = paths.SPEC) -> int:
    """Print the findings of a spec, one per line, and return the exit status."""
    try:
        found = problems(read(folder))
    except (YAMLError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(found) if found else "spec/ complies with all rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
