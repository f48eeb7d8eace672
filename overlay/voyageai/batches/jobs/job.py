"""Jobs: any number of rows, sent as any number of batches, kept in one directory."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from math import isnan
from numbers import Real
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ... import tokenization
from ..._utils import safe_repr
from ...disk import NotRegularError
from ...error import ArgumentError
from ...flow import AsyncSender, Environment, Notify, Sender, in_thread
from ...html import card
from ...prices import MaxCostError, dollars
from ...telemetry.jobs import JobSpan
from ..polling import Polling
from .directory import JobDirectoryError
from .options import JobTimings
from .progress import Progress, show_progress
from .result_join import ResultJoin
from .results import BatchResults
from .running import JobRun, add_failed, carry_out, carry_out_async
from .state import JobState, Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from .directory import JobDirectory
    from .estimate import Estimate
    from .options import WatchOptions
    from .sending import JobFlow
    from .tasks import Count

__all__ = ["AsyncJob", "Job"]

S = TypeVar("S", Sender, AsyncSender)
R = TypeVar("R", bound=BatchResults[Any])
SHOWN = 10
"""Number of failures that are shown one by one at the end of a job."""


class _Job(Generic[S, R]):
    """The common part of `Job` and `AsyncJob`: everything but the methods that send requests.

    Attributes:
        id: Id of the job, which its batches carry in their metadata.
        directory: Directory of the job.
        estimate: Size and cost of the job.
    """

    def __init__(
        self,
        sender: S,
        results_type: type[R],
        directory: JobDirectory,
        manifest: Manifest,
        options: WatchOptions,
    ) -> None:
        self.id: str = manifest.id
        self.directory: Path = directory.path
        self.estimate: Estimate = manifest.estimate(sender.environment.batch_limits)
        self._method = manifest.task.method
        self._sender: S = sender
        self._directory = directory
        self._results_type = results_type
        self._polling = Polling.of(options.get("poll"))
        self._timings = options.get("timings") or JobTimings()
        self._progress = options.get("progress")
        self._environment: Environment = sender.environment

    def _check_cost(self, max_cost: float | None) -> None:
        """Raise if the estimate is above `max_cost`.

        Raises:
            ArgumentError: `max_cost` is not a number from 0.
            MaxCostError: The estimate is above `max_cost`, or the price is not known.
        """
        if max_cost is None:
            return
        if not _is_number(max_cost):
            raise ArgumentError(
                f"max_cost must be a number of US dollars or None, not {max_cost!r}", "max_cost"
            )
        if max_cost < 0:
            raise ArgumentError(
                f"max_cost must be 0 US dollars or more, not {max_cost!r}", "max_cost"
            )
        estimate = self.estimate
        if estimate.cost is None:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the price of {estimate.model} is not known",
                "max_cost",
            )
        if estimate.cost > max_cost:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the job would cost {estimate.cost_text}: "
                f"{estimate}",
                "max_cost",
            )

    def _span(self, action: str) -> JobSpan:
        """Return the span of a run."""
        return JobSpan(
            self._sender.telemetry,
            "batch",
            id=self.id,
            method=self._method,
            model=self.estimate.model,
            folder=self.directory,
            price=self.estimate.price,
            action=action,
        )

    def _run_flow(self, max_cost: float | None, span: JobSpan) -> JobFlow[R]:
        with self._directory.lock():
            if span.is_on:
                span.keep()
            yield Notify(Progress(stage="preparing", message=str(self.estimate)))
            state = self._state()
            yield from self._run(state, span, max_cost).steps()
            return (yield from self._finish(state, span))

    def _retry_flow(self, max_cost: float | None, span: JobSpan) -> JobFlow[R]:
        with self._directory.lock():
            span.keep()
            state = self._state()
            yield from self._run(state, span, max_cost).steps()
            join = ResultJoin(self._directory, state)
            rows = add_failed(self._directory, state, join, self._environment.batch_limits)
            message = f"{rows:,} rows that have failed are tried again"
            yield Notify(Progress(stage="preparing", message=message, done=rows, unit="rows"))
            yield from self._run(state, span, max_cost).steps()
            return (yield from self._finish(state, span))

    def _finish(self, state: JobState, span: JobSpan) -> JobFlow[R]:
        """Read the results, write `failures.jsonl`, and report both."""
        results = self._results(state)
        failures = results.failures
        path = self._directory.failures
        failures.write(path)
        total, failed = len(results), len(failures)
        if failed:
            lines = [f"{failed:,} of {total:,} rows have failed:"]
            lines += [str(failure) for failure in failures[:SHOWN]]
            if failed > SHOWN:
                lines.append(f"and {failed - SHOWN:,} more: see {path}")
            yield Notify(Progress(stage="failed", message="\n".join(lines), done=failed))
        done = total - failed
        if span.is_on:
            span.settle(rows=done, failed=failed, tokens=results.total_tokens)
        where = "" if self._directory.temporary else f": {self.directory}"
        message = f"{done:,} of {total:,} rows are done{where}"
        yield Notify(Progress(stage="done", message=message, done=done, total=total, unit="rows"))
        return results

    def _cancel_flow(self) -> JobFlow[None]:
        yield from self._run(self._state(), self._span("cancel")).cancel()

    def _results_flow(self) -> JobFlow[R]:
        yield from ()
        return self._results(self._state())

    def _state(self) -> JobState:
        return JobState(self._directory, self._environment.now)

    def _run(self, state: JobState, span: JobSpan, max_cost: float | None = None) -> JobRun:
        return JobRun(
            *(self._directory, state, self._polling, self._timings, self._environment),
            span=span,
            max_cost=max_cost,
            get_count=self._get_count,
        )

    def _get_count(self) -> Count | None:
        """Return a function that counts tokens, if the tokenizer is available without a request."""
        tokenizer = tokenization.at_hand(self.estimate.model, self._sender.tokenizers)
        return None if tokenizer is None else partial(tokenization.count, tokenizer)

    def _results(self, state: JobState) -> R:
        return self._results_type(self._directory, state)

    def _with_note(self, failure: BaseException, max_cost: float | None) -> BaseException:
        """Keep the directory, and return the failure with a note that says where it is.

        The traceback of an interrupt or a cancellation is removed, as it would only show the
        internals of the waiting call.
        """
        if isinstance(failure, JobDirectoryError):  # such a job can't be continued
            return failure
        if isinstance(failure, NotRegularError):  # raised by functions that take a path
            refusal = JobDirectoryError(str(failure))
            refusal.__cause__ = failure
            return refusal
        self._directory.keep()
        limit = "" if max_cost is None else f"max_cost={max_cost}"
        if isinstance(failure, MaxCostError):
            limit = "max_cost=..."
        failure.add_note(
            f"Nothing that was done is lost: the job is in {self.directory}; continue it with "
            f"batches.resume({os.fspath(self.directory)!r}).run({limit})"
        )
        if isinstance(failure, KeyboardInterrupt | asyncio.CancelledError):
            failure.__context__ = None
            return failure.with_traceback(None)
        return failure

    @safe_repr
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.estimate.rows:,} {self.estimate.noun}, {self.directory})"
        )

    @safe_repr
    def _repr_html_(self) -> str:
        facts = {"id": self.id, "directory": self.directory}
        return card(type(self).__name__, facts, self.estimate._repr_html_())  # pyright: ignore[reportPrivateUsage]  # of notebooks


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and not isnan(value)


class Job(_Job[Sender, R]):
    """Any number of rows that are sent as batches: estimated first, then run.

    Attributes:
        id: Id of the job, which its batches carry in their metadata.
        directory: Directory of the job.
        estimate: Size and cost of the job.

    Example:
        >>> job = vo.batches.prepare_embed(["It rains.", "It snows."], model="voyage-4", poll=0.05)
        >>> job.estimate.tokens, job.estimate.batches
        (4, 1)
        >>> results = job.run(max_cost=1.00)
        >>> len(results)
        2
    """

    def run(self, max_cost: float | None = None) -> R:
        """Run the job, or what is left of it, and return the results.

        A job can be interrupted at any moment and run again, in this process or another:
        nothing is uploaded, created or billed twice.

        Args:
            max_cost: The most that the job may cost in US dollars, over all its runs. A batch is
                sent only if the billed cost and the highest cost of this batch and those in flight
                stay within it. If the model's tokenizer is not installed, each byte counts as a
                token until responses arrive, so that batches may be sent in parts, one by one.

        Returns:
            A row for each row of the input, in the same order.

        Raises:
            ArgumentError: `max_cost` is not a number from 0.
            MaxCostError: The estimate is above `max_cost`, and nothing was sent; or the rest could
                cost more: the results so far are kept, and a higher `max_cost` continues the job.
            JobInUseError: Another process or thread is running the job.
            JobDirectoryError: The job's directory was damaged; the message names file and line.
            VoyageError: The job could not continue; a note says where it is kept.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4", poll=0.05)
            >>> job.run(max_cost=1.00).to_numpy().shape
            (1, 1024)
        """
        self._check_cost(max_cost)
        span = self._span("run")
        return self._carry_out(self._run_flow(max_cost, span), max_cost, span)

    def retry_failed(self, max_cost: float | None = None) -> R:
        """Send the failed rows again, in further batches, and return all results.

        Rows with a result are not sent again. Rows of a request that was refused for its content
        are sent one by one, so that only those at fault fail again.

        Args:
            max_cost: As in `run`: for the whole job, including what it has cost so far.

        Returns:
            All results, with the earlier ones.

        Raises:
            ArgumentError, MaxCostError: As in `run`.
            JobInUseError: Another process or thread is running the job.
            JobDirectoryError: The job's directory was damaged; the message names file and line.
            VoyageError: The job could not continue; a note says where it is kept.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4", poll=0.05)
            >>> results = job.run()
            >>> if results.failures:
            ...     results = job.retry_failed()
        """
        self._check_cost(max_cost)
        span = self._span("retry_failed")
        return self._carry_out(self._retry_flow(max_cost, span), max_cost, span)

    def results(self) -> R:
        """Return the results so far. Rows without a downloaded result are failures.

        Returns:
            A row for each row of the input, in the same order.

        Raises:
            JobDirectoryError: The job's directory was damaged; the message names file and line.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4")
            >>> len(job.results().failures)
            1
        """
        return carry_out(self._sender, self._results_flow())

    def cancel(self) -> None:
        """Cancel the batches in flight; `run` then returns what they have done so far.

        `run` would also create the batches that have not been created yet.

        Raises:
            VoyageError: The batches could not be cancelled.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4")
            >>> job.cancel()
        """
        carry_out(self._sender, self._cancel_flow())

    def _carry_out(self, flow: JobFlow[R], max_cost: float | None, span: JobSpan) -> R:
        try:
            if span.is_on:
                span.load()
            with span, show_progress(self._progress) as show:
                return carry_out(self._sender, flow, show)
        except BaseException as failure:  # noqa: BLE001  # raised again below
            raise self._with_note(failure, max_cost)  # noqa: B904  # the same exception


class AsyncJob(_Job[AsyncSender, R]):
    """The asynchronous counterpart of `Job`: any number of rows that are sent as batches.

    Attributes:
        id: Id of the job, which its batches carry in their metadata.
        directory: Directory of the job.
        estimate: Size and cost of the job.

    Example:
        >>> async def main():
        ...     async with voyageai.AsyncClient() as vo:
        ...         texts = ["It rains.", "It snows."]
        ...         job = await vo.batches.prepare_embed(texts, model="voyage-4", poll=0.05)
        ...         results = await job.run(max_cost=1.00)
        ...         return job.estimate.tokens, len(results)
        >>> asyncio.run(main())
        (4, 2)
    """

    async def run(self, max_cost: float | None = None) -> R:
        """Run the job, or what is left of it, and return the results.

        A job can be interrupted at any moment and run again, in this process or another:
        nothing is uploaded, created or billed twice.

        Args:
            max_cost: The most that the job may cost in US dollars, over all its runs. A batch is
                sent only if the billed cost and the highest cost of this batch and those in flight
                stay within it. If the model's tokenizer is not installed, each byte counts as a
                token until responses arrive, so that batches may be sent in parts, one by one.

        Returns:
            A row for each row of the input, in the same order.

        Raises:
            ArgumentError: `max_cost` is not a number from 0.
            MaxCostError: The estimate is above `max_cost`, and nothing was sent; or the rest could
                cost more: the results so far are kept, and a higher `max_cost` continues the job.
            JobInUseError: Another process or thread is running the job.
            JobDirectoryError: The job's directory was damaged; the message names file and line.
            VoyageError: The job could not continue; a note says where it is kept.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4", poll=0.05)
            ...         return (await job.run(max_cost=1.00)).to_numpy().shape
            >>> asyncio.run(main())
            (1, 1024)
        """
        self._check_cost(max_cost)
        span = self._span("run")
        return await self._carry_out(self._run_flow(max_cost, span), max_cost, span)

    async def retry_failed(self, max_cost: float | None = None) -> R:
        """Send the failed rows again, in further batches, and return all results.

        Rows with a result are not sent again. Rows of a request that was refused for its content
        are sent one by one, so that only those at fault fail again.

        Args:
            max_cost: As in `run`: for the whole job, including what it has cost so far.

        Returns:
            All results, with the earlier ones.

        Raises:
            ArgumentError, MaxCostError: As in `run`.
            JobInUseError: Another process or thread is running the job.
            JobDirectoryError: The job's directory was damaged; the message names file and line.
            VoyageError: The job could not continue; a note says where it is kept.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4", poll=0.05)
            ...         results = await job.run()
            ...         if results.failures:
            ...             results = await job.retry_failed()
            ...         return len(results)
            >>> asyncio.run(main())
            1
        """
        self._check_cost(max_cost)
        span = self._span("retry_failed")
        return await self._carry_out(self._retry_flow(max_cost, span), max_cost, span)

    async def results(self) -> R:
        """Return the results so far. Rows without a downloaded result are failures.

        Returns:
            A row for each row of the input, in the same order.

        Raises:
            JobDirectoryError: The job's directory was damaged; the message names file and line.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4")
            ...         return len((await job.results()).failures)
            >>> asyncio.run(main())
            1
        """
        return await carry_out_async(self._sender, self._results_flow())

    async def cancel(self) -> None:
        """Cancel the batches in flight; `run` then returns what they have done so far.

        `run` would also create the batches that have not been created yet.

        Raises:
            VoyageError: The batches could not be cancelled.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4")
            ...         await job.cancel()
            >>> asyncio.run(main())
        """
        await carry_out_async(self._sender, self._cancel_flow())

    async def _carry_out(self, flow: JobFlow[R], max_cost: float | None, span: JobSpan) -> R:
        try:
            if span.is_on:
                await in_thread(span.load)
            with span, show_progress(self._progress) as show:
                return await carry_out_async(self._sender, flow, show)
        except BaseException as failure:  # noqa: BLE001  # raised again below
            raise self._with_note(failure, max_cost)  # noqa: B904  # the same exception
