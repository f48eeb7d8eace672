"""`python -m generator.lint`: holds `spec/` to its own rules."""

import sys

from ruamel.yaml.error import YAMLError

from .checks import lint, read


def main() -> int:
    """Print every finding, one a line. Returns the exit status."""
    try:
        documents = read()
    except (YAMLError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    findings = [
        f"spec/{finding.place}: {rule}: {finding.sentence}" for rule, finding in lint(documents)
    ]
    print("\n".join(findings) if findings else "spec/ keeps all of its rules")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
