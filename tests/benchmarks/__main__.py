"""`python -m tests.benchmarks --wheel dist/voyageai-….whl`: measure, print tables, write JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from . import bars, emulator, hostile, jobs, measure
from .contenders import Environment, contenders, install
from .tables import Section, show

# Normal, and with --quick.
ROUNDS = (15, 5)
JOB_LINES = (100_000, 10_000)
CLIENT, EMULATOR = SUBJECTS = ("client", "emulator")


def main() -> int:
    options = arguments().parse_args()
    wheel: Path = options.wheel.resolve()
    wanted = SUBJECTS if options.only is None else [options.only]
    environments = {
        name: install(contender, options.envs.resolve(), wheel)
        for name, contender in contenders(wheel).items()
        if (EMULATOR if name == bars.OURS_EMULATOR else CLIENT) in wanted
    }
    rounds = ROUNDS[options.quick]
    sections: list[Section] = []
    for section in chain(
        sections_of(environments, rounds) if CLIENT in wanted else (),
        emulator_sections(environments, options.quick) if EMULATOR in wanted else (),
    ):
        sections.append(section)
        show(section)
    verdicts = [verdict for section in sections for verdict in section.verdicts()]
    missed = [(bar, figure) for bar, figure, reached in verdicts if not reached]
    print(f"{len(verdicts) - len(missed)} of {len(verdicts)} bars reached")
    for bar, figure in missed:
        print(f"MISSED: {bar.section}: {bar.row}: {figure:.3f} > {bar.limit:g} ({bar.meaning})")
    options.json.write_text(json.dumps(record(environments, sections), indent=1) + "\n")
    return 1 if missed and options.check else 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=bars.__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel to measure")
    parser.add_argument(
        "--envs", type=Path, default=Path(".nox/bench-envs"), help="folder of the environments"
    )
    parser.add_argument(
        "--json", type=Path, default=Path("benchmarks.json"), help="JSON file to write"
    )
    parser.add_argument("--only", choices=SUBJECTS, help="what to measure; by default both")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher figures")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    return parser


def sections_of(environments: dict[str, Environment], rounds: int) -> Iterator[Section]:
    """Yield each table of the client when its measurement is complete."""
    core = {
        name: one
        for name, one in environments.items()
        if name != bars.OURS_NUMPY and one.contender.first
    }
    yield measure.weight(core)
    with measure.serving() as url:
        imports = measure.imports(core, rounds)
        yield imports
        yield measure.imports_alone(imports)
        yield measure.first_vectors(core, url, rounds)
        yield measure.calls(bars.SYNC, measure.WAYS, environments, url, rounds)
        yield measure.calls(bars.ASYNC, measure.ASYNC_WAYS, environments, url, rounds)
        yield measure.calls(bars.SMALL, measure.WAYS, environments, url, rounds)
        yield measure.calls(bars.SMALL_ASYNC, measure.ASYNC_WAYS, environments, url, rounds)
        yield measure.memory(environments, url)
    with measure.serving(milliseconds=20) as url:
        for in_flight in bars.IN_FLIGHT:
            yield measure.together(in_flight, environments, url, rounds)
        yield measure.paced(environments, url, rounds)
    yield hostile_section(environments[bars.OURS])


def hostile_section(environment: Environment) -> Section:
    """Measure the cost of hostile responses to this client, next to valid large ones."""
    section = Section(bars.HOSTILE, hostile.RIGHT)
    python = str(environment.python)
    for row, reading in hostile.measured(python, measure.child_environment()).items():
        section.add(row, reading)
    return section


def emulator_sections(environments: dict[str, Environment], quick: bool) -> Iterator[Section]:
    """Yield each table of the emulator when its measurement is complete."""
    environment = environments[bars.OURS_EMULATOR]
    yield from emulator.sections(environment, ROUNDS[quick])
    yield jobs.large_job(environment, JOB_LINES[quick])


def record(environments: dict[str, Environment], sections: list[Section]) -> dict[str, object]:
    """Return the results in the form that is written as JSON."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "installed": {
            name: {package: version for package, (version, _) in one.distributions.items()}
            for name, one in environments.items()
        },
        "sections": [section.as_json() for section in sections],
    }


if __name__ == "__main__":
    sys.exit(main())
