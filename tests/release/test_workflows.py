"""The CI workflows only call nox, with the least permissions that they need."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from generator import paths, spec

FILES = sorted(paths.ROOT.glob(".github/workflows/*.yml"))
# Commands that no session can run: they install nox or talk to GitHub.
OTHERWISE = {
    "python -m pip install --requirement generator/release/nox.txt",
    'gh release create "$GITHUB_REF_NAME" dist/* --verify-tag --notes "See CHANGELOG.md."',
}


def jobs(file):
    return spec.load(file)["jobs"]


def steps(file):
    return [step for job in jobs(file).values() for step in job["steps"]]


def commands(file):
    """Return all commands of a workflow, with each value of a matrix."""
    lists = [job.get("strategy", {}).get("matrix", {}) for job in jobs(file).values()]
    listed = [command for matrix in lists for command in matrix.get("command", ())]
    ran = [step["run"] for step in steps(file) if "run" in step]
    return {*listed, *ran} - ({"${{ matrix.command }}"} if listed else set())


def defined():
    """Read the name, tags and code of each session without running nox."""
    for node in ast.parse(paths.ROOT.joinpath("noxfile.py").read_text("utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if ast.unparse(decorator).startswith("nox.session"):
                named = {word.arg: word.value for word in getattr(decorator, "keywords", ())}
                tags = ast.literal_eval(named["tags"]) if "tags" in named else []
                name = ast.literal_eval(named["name"]) if "name" in named else node.name
                yield name, tags, ast.unparse(node)


def sessions(tag=None):
    """Return the names of all sessions, or of those with a tag."""
    return [name for name, tags, _ in defined() if tag is None or tag in tags]


def by_default():
    """Return the names of the sessions that plain `nox` runs."""
    code = ast.parse(paths.ROOT.joinpath("noxfile.py").read_text("utf-8"))
    (named,) = [
        {word.value for word in ast.walk(node.value) if isinstance(word, ast.Constant)}
        for node in code.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "nox.options.sessions"
    ]
    return named


def sessions_named_after(start):
    """Return the sessions that the paragraph of CONTRIBUTING.md with this beginning names."""
    page = paths.ROOT.joinpath("CONTRIBUTING.md").read_text("utf-8")
    (paragraph,) = re.findall(rf"^\*\*{start}\*\*(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    return {*re.findall(r"`([\w-]+)`", paragraph)} - {"nox"}


def test_contributors_are_told_what_nox_leaves_out():
    """A contributor who sees `nox` pass must not believe that every check ran."""
    full = {*sessions("full")}

    assert full
    assert full == sessions_named_after("Left to `nox -t full`")
    assert {*sessions()} - by_default() - full == sessions_named_after("Left out of both")


def test_nox_leaves_what_takes_longer_to_full():
    """Plain `nox` and `nox -t full` together run each check exactly once."""
    assert set() == by_default() & {*sessions("full")}
    assert by_default() < {*sessions()}


def test_there_are_workflows():
    """The other tests would pass without checking anything if no workflow were found."""
    expected = ["ci.yml", "docs.yml", "drift.yml", "nightly.yml", "release.yml"]
    assert expected == [file.name for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_calls_nox(file):
    """A contributor can reproduce each CI step on any machine."""
    others = {command for command in commands(file) if command.split()[0] != "nox"}

    assert others <= OTHERWISE


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_calls_sessions_that_there_are(file):
    """A workflow that calls a renamed session would fail only after it is pushed."""
    asked = [command.partition(" -- ")[0].split() for command in commands(file)]
    called = {name for words in asked if words[:2] == ["nox", "-s"] for name in words[2:]}
    tags = {name for words in asked if words[:2] == ["nox", "-t"] for name in words[2:]}

    assert called | tags
    assert set() == called - {*sessions()}
    assert tags <= {"full"}


@pytest.mark.parametrize("name", ["ci.yml", "nightly.yml", "release.yml"])
def test_a_workflow_that_tests_has_each_python(name):
    """A Python that is not installed would be skipped, and nobody would notice."""
    project = tomllib.loads(paths.ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    (installed,) = [
        step["with"]["python-version"].split()
        for step in steps(paths.ROOT / ".github/workflows" / name)
        if "\n" in step.get("with", {}).get("python-version", "")
    ]

    assert set(declared) <= set(installed)
    assert declared[0] == installed[-1]  # the last is what `python` is


def test_a_scheduled_comparison_fails_for_any_difference():
    """Nobody reads the summary of a job that passed."""
    compared = [
        command
        for file in FILES
        for command in commands(file)
        if command.startswith("nox -s drift")
    ]

    assert compared
    assert [] == [command for command in compared if " --fail-on any " not in command]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_others_wrote_is_pinned_to_a_commit(file):
    """A tag can be moved to other code; a commit hash can't."""
    used = [step["uses"] for step in steps(file) if "uses" in step]

    assert [] == [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_commit_has_its_version_beside_it(file):
    """The version makes a hash readable, and dependabot updates both together."""
    lines = [line for line in file.read_text("utf-8").splitlines() if "uses:" in line]

    assert [] == [line for line in lines if not re.search(r"@[0-9a-f]{40} # v\d+(\.\d+)*$", line)]


def test_an_action_is_pinned_to_one_commit_everywhere():
    """Updating one pin and forgetting another would leave old code in use."""
    pins: dict[str, set[str]] = {}
    for file in FILES:
        for name, commit in re.findall(r"uses: (\S+)@([0-9a-f]{40})", file.read_text("utf-8")):
            pins.setdefault(name, set()).add(commit)

    assert {} == {name: commits for name, commits in pins.items() if len(commits) > 1}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_reads_unless_it_says_why(file):
    """A workflow's code has the workflow's permissions, so write access needs a stated reason."""
    assert {"contents": "read"} == spec.load(file)["permissions"]
    more = {
        (name, right)
        for name, job in jobs(file).items()
        for right, degree in job.get("permissions", {}).items()
        if degree == "write"
    }
    expected = {
        "docs.yml": {("deploy", "id-token"), ("deploy", "pages")},
        "release.yml": {("publish", "id-token"), ("attach", "contents")},
    }
    assert expected.get(file.name, set()) == more


def test_publishing_needs_no_stored_token():
    """Trusted publishing needs no token, so none can be stolen."""
    release = paths.ROOT.joinpath(".github/workflows/release.yml").read_text("utf-8")

    assert "secrets." not in release


@pytest.mark.parametrize(("name", "job"), [("release.yml", "publish"), ("docs.yml", "deploy")])
def test_the_job_with_an_identity_runs_nothing_of_this_tree(name, job):
    """Code in that job could publish anything in the project's name."""
    trusted = jobs(paths.ROOT / ".github/workflows" / name)[job]
    actions = [step["uses"].partition("@")[0] for step in trusted["steps"]]

    assert [] == [step for step in trusted["steps"] if "run" in step]
    assert {*actions} <= {
        *("actions/download-artifact", "pypa/gh-action-pypi-publish", "actions/deploy-pages"),
    }
    assert "write" == trusted["permissions"]["id-token"]


def test_a_release_is_compared_before_and_used_after_it_is_published():
    """Publishing can't be undone, so every check that can fail comes first."""
    release = jobs(paths.ROOT / ".github/workflows/release.yml")
    order = {name: job.get("needs") for name, job in release.items()}
    (upload,) = [step for step in release["publish"]["steps"] if "pypi-publish" in step["uses"]]

    assert {
        "build": None,
        "compare": "build",
        "publish": "compare",
        "first-call": "publish",
        "attach": "first-call",
    } == order
    assert upload["with"]["attestations"] is True


def test_versions_wait_before_they_are_proposed():
    """Most malicious releases are discovered within days."""
    updates = spec.load(paths.ROOT / ".github/dependabot.yml")["updates"]

    assert {"github-actions", "pip"} == {update["package-ecosystem"] for update in updates}
    assert [7, 7] == [update["cooldown"]["default-days"] for update in updates]


def test_a_report_comes_with_what_the_doctor_says():
    """Versions and hosts are in the bug report from the start, so maintainers need not ask."""
    forms = paths.ROOT / ".github/ISSUE_TEMPLATE"
    bug = spec.load(forms / "bug.yml")
    (doctor,) = [field for field in bug["body"] if field.get("id") == "doctor"]

    assert "voyageai doctor" in doctor["attributes"]["label"]
    assert doctor["validations"]["required"]
