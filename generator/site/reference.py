"""The pages that are generated from the code: interface, models, command line."""

import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import click
import griffe
from voyageai.cli.program import program
from voyageai_admin_rest import operations as admin_rest
from voyageai_rest import catalogue
from voyageai_rest import operations as rest

from .. import paths
from ..commands import environment, python, run

API = {
    "client": ("Clients and settings", ("voyageai", "voyageai.options")),
    "results": ("Results", ("voyageai.results",)),
    "exceptions": ("Exceptions", ("voyageai.error",)),
    "tables": ("Tables", ("voyageai.tables",)),
    "batches": ("Batch jobs", ("voyageai.batches",)),
    "files": ("Files", ("voyageai.files",)),
    "vectors": (
        "Vectors, prompts, evaluation",
        ("voyageai.quantization", "voyageai.prompts", "voyageai.evaluation", "voyageai.mongodb"),
    ),
    "deployments": ("Deployments and gateways", ("voyageai.deployments",)),
    "admin": ("Administration", ("voyageai.admin",)),
    "integrations": (
        "Integrations",
        tuple(f"voyageai.integrations.{name}" for name in ("daft", "llm", "ray", "sklearn")),
    ),
    "local": ("Local models", ("voyageai.local",)),
    "official": (
        "Names of the official client",
        (
            *("voyageai.object", "voyageai.api_resources", "voyageai.chunking", "voyageai.util"),
            *("voyageai.embeddings_utils", "voyageai.video_utils", "voyageai.emulator"),
        ),
    ),
    "emulator": ("The emulator", ("voyageai_emulator",)),
    "rest": (
        "The generated client",
        (
            *("voyageai_rest", "voyageai_rest.errors", "voyageai_rest.operations"),
            *("voyageai_rest.catalogue", "voyageai_rest.models"),
            *(f"voyageai_rest.api.{operation.module}" for operation in rest.OPERATIONS),
        ),
    ),
    "admin-rest": (
        "The generated client of Atlas",
        (
            *(
                "voyageai_admin_rest",
                "voyageai_admin_rest.operations",
                "voyageai_admin_rest.models",
            ),
            *(f"voyageai_admin_rest.api.{one.module}" for one in admin_rest.OPERATIONS),
        ),
    ),
}
"""Title and modules of each page of the reference."""
PASSED_ON = {"emulator"}
"""Commands that pass all arguments to another program."""
SEARCHED = ("overlay", "generated")
BY_ATTRIBUTES = {
    "voyageai.admin": (
        *("client.Keys", "client.RateLimits"),
        *("client_async.AsyncKeys", "client_async.AsyncRateLimits"),
    ),
    "voyageai.tables": ("dataset.open_table",),
}
"""Names that users reach as attributes of other objects, by the module that documents them."""
MODULES = [module for _, found in API.values() for module in found]
DIRECTIVE = re.compile(r"^::: (\S+)\n(?:    .*\n)*", re.MULTILINE)
"""A directive of mkdocstrings, with its options."""
ALONE = ("voyageai.error", "voyageai_rest", "voyageai_admin_rest")
"""Modules whose classes inherit from each other, so that inherited members are shown once."""
NOT_INHERITED = "    options:\n      inherited_members: false\n      show_bases: true\n"
FOLDER = "reference"
UNKNOWN = "-"


def pages() -> dict[str, str]:
    """Return all pages that are generated from the code, by name."""
    made = {f"{FOLDER}/{name}.md": page for name, page in _interface()}
    return {
        **made,
        f"{FOLDER}/models.md": models(),
        f"{FOLDER}/command-line.md": command_line(),
    }


@cache
def _loaded() -> griffe.ModulesCollection:
    """Read the packages of the reference, without running them."""
    loader = griffe.GriffeLoader(
        search_paths=[paths.ROOT / folder for folder in SEARCHED], allow_inspection=False
    )
    for package in dict.fromkeys(module.split(".")[0] for module in MODULES):
        loader.load(package)
    return loader.modules_collection


def names() -> dict[str, list[str]]:
    """Return the public names of each module of the reference, by module."""
    return {
        module: [*_public(_loaded()[module]), *BY_ATTRIBUTES.get(module, ())] for module in MODULES
    }


def as_markdown(page: str) -> str:
    """Return a page with each directive replaced by the documentation of its name."""
    return DIRECTIVE.sub(lambda match: _documentation(_loaded()[match[1]], match[1]), page)


def _documentation(item: Any, path: str) -> str:
    """Return signature and docstring of a name, and for a class those of its methods."""
    kind = "async " if "async" in item.labels else ""
    signature = item.signature() if item.is_function or item.is_class else ""
    _, bracket, arguments = (signature or "").partition("(")
    docstring = item.docstring.value if item.docstring else ""
    text = f"### {kind}{path}{bracket}{arguments}\n\n{docstring}\n"
    if not item.is_class:
        return text
    methods = [
        _documentation(member, f"{path}.{name}")
        for name, member in item.members.items()
        if member.is_function and not name.startswith("_") and member.docstring
    ]
    return "\n".join([text, *methods])


def _public(found: Any) -> Iterator[str]:
    """Yield the exports of a module, or without any its names without an underscore."""
    for name in map(str, found.exports or found.members):
        member = found.members.get(name)
        if member is None or name.startswith("_") or (member.is_alias and not found.exports):
            continue
        if not member.is_module and not str(getattr(member, "value", "")).startswith("TypeVar("):
            yield name


def _interface() -> Iterator[tuple[str, str]]:
    found = names()
    for name, (title, modules) in API.items():
        parts = [f"# {title}\n"]
        for module in modules:
            about = inspect.getdoc(importlib.import_module(module)) if _importable(module) else ""
            parts.append(f"## `{module}`\n\n{first_paragraph(about or '')}\n")
            alone = NOT_INHERITED if module.startswith(ALONE) else ""
            shown = sorted(found[module], key=lambda name: _kind(f"{module}.{name}"))
            parts += [f"::: {module}.{member}\n{alone}" for member in shown]
        yield name, "\n".join(parts)


def _kind(path: str) -> int:
    """Return the sort key of a name: classes first, then functions, then values."""
    item = _loaded()[path]
    return 0 if item.is_class else 1 if item.is_function else 2


def _importable(module: str) -> bool:
    """Return whether a module can be imported without an extra."""
    return not module.startswith("voyageai.integrations.")


def first_paragraph(text: str) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join(text.partition("\n\n")[0].split())


def models() -> str:
    """Return the page of models and limits, generated from the catalogue."""
    parts = ["# Models and limits\n"]
    parts.append(
        "From the catalogue of this release, `voyageai_rest.catalogue`; `spec/catalogue.yaml` has "
        "the source of each value. A dash means that a value does not apply, or that no source "
        "states it. Prices are in US dollars per million tokens, rate limits per minute in usage "
        "tier 1.\n"
    )
    known = catalogue.MODELS.values()
    for endpoint in dict.fromkeys(model.endpoint for model in known):
        rows = [_row(model) for model in known if model.endpoint == endpoint]
        parts.append(f"## {endpoint or 'On your machine'}\n\n{_table(HEADING, rows)}")
    tiers = catalogue.TIERS
    paid = [(name, getattr(tiers, f"tier_{name}")) for name in (1, 2, 3)]
    parts.append(
        "## Usage tiers\n\n"
        + _table(
            ("tier", "from", "limits"),
            [
                (
                    "free",
                    "no payment method",
                    f"{tiers.free.rpm} requests, {tiers.free.tpm:,} tokens",
                ),
                *(
                    (
                        str(name),
                        f"${tier.paid_at_least_usd:,} paid",
                        f"{tier.factor} times the model's",
                    )
                    for name, tier in paid
                ),
            ],
        )
    )
    batch = catalogue.BATCH
    parts.append(
        "## Batch jobs\n\n"
        + _table(
            ("limit", "value"),
            [
                ("inputs of a batch", f"{batch.max_inputs:,}"),
                ("jobs in flight", f"{batch.max_jobs_in_flight:,}"),
                ("tokens in flight", f"{batch.max_tokens_in_flight:,}"),
                ("completion window", batch.completion_window),
                ("discount", f"{batch.discount:.0%}"),
                ("results are kept", f"{batch.file_retention_days} days"),
            ],
        )
    )
    return "\n".join(parts)


HEADING = (
    *("model", "standing", "context", "tokens of a request", "dimensions", "dtypes", "price"),
    *("tokens a minute", "requests a minute", "batch", "hosts"),
)


def _row(model: catalogue.Model) -> tuple[str, ...]:
    sizes = model.dimensions
    lengths = [sizes.default, *sorted({*sizes.allowed} - {sizes.default})] if sizes else []
    price = model.price.usd_per_million_tokens if model.price else None
    successor = f", use {model.replacement}" if model.replacement else ""
    return (
        f"`{model.name}`",
        f"{model.lifecycle}{successor}",
        _number(model.context_length),
        _number(model.max_request_tokens),
        ", ".join(map(str, lengths)) or UNKNOWN,
        ", ".join(model.dtypes or ()) or UNKNOWN,
        UNKNOWN if price is None else f"{price:g}",
        _number(model.tpm),
        _number(model.rpm),
        {True: "yes", False: "no", None: UNKNOWN}[model.batch],
        ", ".join(model.platforms) or UNKNOWN,
    )


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _table(heading: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def command_line() -> str:
    """Return the page of all commands and options, from their `--help`."""
    parts = [
        "# Commands and options\n\nThe `--help` of each command. "
        "[The command line](../cli.md) explains how they work together.\n"
    ]
    for words, command in commands(program, ("voyageai",)):
        # The program's help options, as a command keeps the first ones it gets.
        context = click.Context(
            command,
            info_name=" ".join(words),
            terminal_width=90,
            help_option_names=program.context_settings["help_option_names"],
        )
        parts.append(_help(" ".join(words), command.get_help(context)))
    plain = environment({"COLUMNS": "90", "NO_COLOR": "1"})
    emulator = run(*python("voyageai_emulator", "--help"), env=plain)
    parts.append(_help("voyageai-emulator", emulator))
    return "\n".join(parts)


def _help(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{re.sub(r' +$', '', text, flags=re.MULTILINE).rstrip()}\n```\n"


def commands(
    command: click.Command, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all its subcommands, each with the words that call it."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = None if name in PASSED_ON else command.get_command(context, name)
            if found is not None:
                yield from commands(found, (*words, name))
