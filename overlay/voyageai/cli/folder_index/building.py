"""Build an index: only texts that have no vector yet are sent."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, frozen

from ...disk import make_folder, open_regular
from ...error import ArgumentError
from ...prices import MaxCostError, dollars
from ...tables.directory import locked
from ...tables.options import embed_spec
from ...tables.preparing import describe
from ...tables.slices import PartInfo
from .chunks import cut
from .files import File, find_files, read_text
from .settings import KEY, Settings, check_settings
from .store import (
    CHUNKS,
    JOB,
    PART,
    SALVAGED,
    WORK,
    Known,
    Row,
    about,
    part_of,
    read_rows,
    salvage,
    write_chunks,
    write_index,
)

if TYPE_CHECKING:
    from ...batches.jobs.progress import ProgressOption
    from ...client import Client
    from ...tables.estimate import TableEstimate
    from ...tables.job import TableJob, TableResult
    from ...tables.options import EmbedTableOptions
    from ...tables.slices import Failure

__all__ = ["Built", "Plan", "build"]

INDEX_NAMES = {PART, WORK, "lock", ".gitignore"}
"""Names of the files in the folder of an index."""
VECTORS = ("model", "output_dtype", "dimension")
"""Settings that all vectors of an index share."""
RECENT = 2_000_000_000
"""Nanoseconds before a run in which a file may change again without a new modification time."""


@frozen(kw_only=True)
class Plan:
    """Contents of an index, and the texts to send for it.

    Attributes:
        files: Files with text.
        unchanged: Number of files that were not read, since their size and time are unchanged.
        chunks: Chunks of all files.
        new: Texts to send: those of chunks without a vector, each text once.
        estimate: Estimated cost of the new texts; None if there are none.
        skipped: Number of files left out, by reason.
    """

    files: int
    unchanged: int
    chunks: int
    new: int
    estimate: TableEstimate | None
    skipped: dict[str, int]


@frozen(kw_only=True)
class Built:
    """Result of a build.

    Attributes:
        plan: The plan that was carried out.
        chunks: Chunks in the index.
        tokens: Billed tokens.
        cost: Cost in US dollars; None if the model's price is not known.
        failures: Texts that got no vector, by SHA-256; the next run sends them again.
    """

    plan: Plan
    chunks: int
    tokens: int
    cost: float | None
    failures: list[Failure]


def build(
    client: Client,
    folder: Path,
    settings: Settings,
    *,
    rebuild: bool = False,
    confirm: Callable[[Plan], bool | None],
    max_cost: float | None = None,
    progress: ProgressOption = None,
) -> Built | None:
    """Build an index, or bring it up to date.

    Existing vectors are kept, those of an unfinished run too; chunks that no longer exist are
    removed. It may be interrupted at any time: the old index stays until the new one is complete.

    Args:
        client: The client that sends the texts.
        folder: The folder of the index.
        settings: Its settings. Those of the vectors must be the ones of an existing index.
        rebuild: Embed all texts again, with other settings.
        confirm: Called with the plan; returns True to carry it out.
        max_cost: Upper limit of the cost in US dollars.
        progress: As for table jobs.

    Returns:
        The result; None if the plan was not confirmed.

    Raises:
        ArgumentError: The folder holds something else, the index has other vectors, or no text was
            found; nothing was sent.
        JobInUseError: Another process is building the index.
        MaxCostError, VoyageError: As for `client.tables.embed`; finished work is kept.
    """
    check_settings(settings)
    options: EmbedTableOptions = {
        "output_dtype": settings.output_dtype,
        "input_type": "document",
        "progress": progress,
        "id": "id",
    }
    if settings.output_dimension is not None:
        options["output_dimension"] = settings.output_dimension
    spec = embed_spec("prepare_embed", "text", settings.model, options, None)
    made = json.loads(json.dumps({**describe(spec), KEY: asdict(settings)}))
    _claim(folder)
    with locked(folder):
        builder = _Builder(folder, made, settings, rebuild=rebuild)
        try:
            plan, job = builder.prepare(client, options)
            if not confirm(plan):
                builder.forget_texts()
                return None
            result = None if job is None else _run(job, max_cost)
            failures = [] if result is None else [*result.failures()]
            chunks = builder.finish()
        except MaxCostError as stopped:
            if not stopped.spent:
                builder.forget_texts()
            raise
        finally:
            if not (folder / PART).exists() and not (folder / WORK).exists():
                shutil.rmtree(folder, ignore_errors=True)  # an open lock may not be removable
        return Built(
            plan=plan,
            chunks=chunks,
            tokens=0 if result is None else result.tokens,
            cost=0.0 if result is None else result.cost,
            failures=failures,
        )


def _run(job: TableJob, max_cost: float | None) -> TableResult:
    """Run a job; errors are worded for the index, and do not name the job's folder."""
    try:
        return job.run(max_cost)
    except MaxCostError as stopped:
        if not stopped.spent:
            raise
        error = MaxCostError(
            f"stopped at max_cost, {dollars(max_cost or 0)}: {dollars(stopped.spent)} was billed; "
            "finished work is kept, and the same command continues, with a limit of its own",
            "max_cost",
        )
        error.spent = stopped.spent
        raise error from None
    except BaseException as failure:
        failure.__notes__ = ["No finished work is lost; the same command continues"]
        raise


class _Builder:
    """A build of an index, while its folder is locked."""

    def __init__(
        self, folder: Path, made: dict[str, Any], settings: Settings, *, rebuild: bool
    ) -> None:
        self._folder, self._made, self._settings = folder, made, settings
        self._path, self._work = folder / PART, folder / WORK
        os.utime(folder / "lock")
        self._began = (folder / "lock").stat().st_mtime_ns
        before = None if rebuild else about(self._path)
        if before is not None and _vectors(before) != _vectors(made):
            raise ArgumentError(
                f"the index in {folder} has vectors of {_description(before)}, not of "
                f"{_description(made)}; rebuild it (--rebuild), which embeds all texts again, or "
                "name another folder",
                "model",
            )
        self._before = before
        for name in (CHUNKS, SALVAGED):
            found = about(self._work / name)
            if found is not None and _vectors(found) != _vectors(made):
                shutil.rmtree(self._work)
        salvage(self._work)
        self._known = Known()
        self._old = [] if before is None else read_rows(self._path)
        if before is not None:
            self._known.add(self._path)
        self._known.add(self._work / SALVAGED)
        self._rows: list[Row] = []

    def prepare(self, client: Client, options: EmbedTableOptions) -> tuple[Plan, TableJob | None]:
        """Read the files, and prepare the job for the new texts; None if there are none."""
        skipped: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        self.forget_texts()
        make_folder(self._work)
        chunks = self._work / CHUNKS
        try:
            new = write_chunks(chunks, self._new_texts(skipped, counts), self._info())
        except BaseException:
            self.forget_texts()
            raise
        if not self._rows:
            self.forget_texts()
            raise ArgumentError(
                f"there is no text to index in {', '.join(self._settings.roots)} below "
                f"{self._folder.parent}; {_left_out(skipped)}",
                "paths",
            )
        job: TableJob | None = None
        if new:
            job = client.tables.prepare_embed(
                str(chunks),
                text="text",
                model=self._settings.model,
                into=self._work / JOB,
                **options,
            )
        plan = Plan(
            files=counts["files"],
            unchanged=counts["unchanged"],
            chunks=len(self._rows),
            new=new,
            estimate=None if job is None else job.estimate,
            skipped=dict(skipped),
        )
        return plan, job

    def forget_texts(self) -> None:
        """Remove a job that was prepared but not run."""
        shutil.rmtree(self._work / JOB, ignore_errors=True)
        for path in (self._work / CHUNKS, part_of(self._work / CHUNKS)):
            path.unlink(missing_ok=True)
        if self._work.exists() and not any(self._work.iterdir()):
            self._work.rmdir()

    def finish(self) -> int:
        """Write the index of all chunks that have a vector, and return their number."""
        salvage(self._work)
        self._known.add(self._work / SALVAGED)
        missing = {row.path for row in self._rows if row.sha256 not in self._known}
        rows = [
            row._replace(modified=0) if row.path in missing else row
            for row in self._rows
            if row.sha256 in self._known
        ]
        if rows and (rows != self._old or self._made != self._before):
            write_index(self._path, rows, self._known, self._info(len(rows)))
        self._known.close()
        self._remove_work()
        return len(rows)

    def _new_texts(self, skipped: Counter[str], counts: Counter[str]) -> Iterator[tuple[str, str]]:
        """Read the files, record their chunks, and yield each text without a vector.

        A text is yielded with its SHA-256 before it.
        """
        settings, seen = self._settings, set[str]()
        files = find_files(
            self._folder.parent,
            settings.roots,
            only=settings.only,
            without=settings.without,
            most_bytes=settings.most_bytes,
            skipped=skipped,
        )
        old = self._unchanged_rows()
        for file in files:
            if (rows := old.get((file.name, file.size, file.modified))) is not None:
                self._rows += rows
                counts.update(files=1, unchanged=1)
                continue
            try:
                text = read_text(file.path)
            except OSError:
                skipped["unreadable"] += 1
                continue
            if text is None:
                skipped["not text"] += 1
                continue
            counts["files"] += 1
            for row, part in self._cut(file, text):
                self._rows.append(row)
                if row.sha256 not in self._known and row.sha256 not in seen:
                    seen.add(row.sha256)
                    yield row.sha256, part

    def _cut(self, file: File, text: str) -> Iterator[tuple[Row, str]]:
        settings = self._settings
        modified = file.modified if file.modified < self._began - RECENT else 0
        for chunk in cut(text, settings.chunk_tokens, settings.overlap):
            part = text[chunk.start : chunk.stop]
            digest = hashlib.sha256(part.encode()).hexdigest()
            yield Row(file.name, *chunk, digest, file.size, modified), part

    def _unchanged_rows(self) -> dict[tuple[str, int, int], list[Row]]:
        """Return the rows of each file of the old index; none if chunks are now cut otherwise."""
        own = None if self._before is None else self._before[KEY]
        if own is None or any(
            own[name] != getattr(self._settings, name) for name in ("chunk_tokens", "overlap")
        ):
            return {}
        found: dict[tuple[str, int, int], list[Row]] = {}
        for row in self._old:
            if row.modified:
                found.setdefault((row.path, row.size, row.modified), []).append(row)
        return found

    def _info(self, rows: int = 0) -> PartInfo:
        return PartInfo(
            job=uuid.uuid4().hex[:12],
            slice=0,
            input=0,
            first=0,
            rows=rows,
            failed=0,
            last=True,
            digest="",
            tokens=0,
            unknown_tokens=0,
            about=self._made,
        )

    def _remove_work(self) -> None:
        if self._work.exists():
            shutil.rmtree(self._work)


def _claim(folder: Path) -> None:
    """Make the folder of an index; refuse a folder that holds something else.

    Raises:
        ArgumentError: The folder has other files, or is a file.
    """
    if folder.exists():
        others = {path.name for path in folder.iterdir()} - INDEX_NAMES if folder.is_dir() else {""}
        others = {name for name in others if not name.startswith(f".{PART}")}
        if others:
            raise ArgumentError(
                f"{folder} is not an index: it has {min(others)!r}; name a new folder"
                if folder.is_dir()
                else f"{folder} is a file; name a folder",
                "folder",
            )
    make_folder(folder)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        with open_regular(ignore, "wb") as file:
            file.write(b"*\n")


def _vectors(made: dict[str, Any]) -> list[Any]:
    return [made.get(name) for name in VECTORS]


def _description(made: dict[str, Any]) -> str:
    return f"{made['model']} ({made['output_dtype']}, {made['dimension']} dimensions)"


def _left_out(skipped: Counter[str]) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(skipped.items()))
    return f"left out: {reasons}" if reasons else "no file was found"
