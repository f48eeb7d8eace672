"""Jobs: many rows, as many batches as they need, one directory."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from math import isnan
from numbers import Real
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ... import tokenization
from ...disk import NotRegularError
from ...error import ArgumentError
from ...files import AsyncFiles, Files
from ...flow import AsyncSender, Environment, Notify, Request, Sender, run, run_async
from ...reprs import whole
from ..polling import Polling
from .display import showing
from .errors import JobDirectoryError, MaxCostError
from .estimate import dollars
from .pace import Pace
from .progress import Progress, Told
from .results import BatchResults
from .retrying import add_failed
from .running import Run
from .state import JobState, Manifest

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from .asking import Message, Steps
    from .estimate import Estimate
    from .folder import Folder
    from .options import WatchOptions
    from .task import Count

__all__ = ["AsyncJob", "Job"]

S = TypeVar("S", Sender, AsyncSender)
R = TypeVar("R", bound=BatchResults[Any])
T = TypeVar("T")
SHOWN = 10
"""Failures that are told one by one."""


class _Job(Generic[S, R]):
    """What both kinds of jobs share: everything but the carrying out.

    Attributes:
        id: The job's id, which its batches carry in their metadata.
        directory: Its directory.
        estimate: What it will cost.
    """

    def __init__(
        self,
        sender: S,
        kind: type[R],
        folder: Folder,
        options: WatchOptions,
    ) -> None:
        manifest = Manifest.read(folder)
        self.id: str = manifest.id
        self.directory: Path = folder.path
        self.estimate: Estimate = manifest.estimate
        self._sender: S = sender
        self._folder = folder
        self._kind = kind
        self._polling = Polling.of(options.get("poll"))
        self._pace = options.get("pace") or Pace()
        self._progress = options.get("progress")
        self._environment: Environment = sender.environment

    def _check_cost(self, max_cost: float | None) -> None:
        """Refuse a job that is estimated to cost too much.

        Raises:
            ArgumentError: The limit is none.
            MaxCostError: It is, or nobody knows what it costs.
        """
        estimate = self.estimate
        if max_cost is None:
            return
        if not _is_number(max_cost):
            raise ArgumentError(
                f"max_cost must be a number of US dollars or None, not {max_cost!r}", "max_cost"
            )
        if estimate.cost is None:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the price of {estimate.model} is not known",
                "max_cost",
            )
        if estimate.cost > max_cost:
            raise MaxCostError(
                f"max_cost is {dollars(max_cost)}, but the job would cost {estimate.said_cost}: "
                f"{estimate}",
                "max_cost",
            )

    def _running(self, max_cost: float | None) -> Steps[R]:
        with self._folder.lock():
            yield Notify(Progress(stage="preparing", message=str(self.estimate)))
            state = self._state()
            yield from self._run(state, max_cost).steps()
            return (yield from self._ending(state))

    def _retrying(self, max_cost: float | None) -> Steps[R]:
        with self._folder.lock():
            state = self._state()
            yield from self._run(state, max_cost).steps()
            rows = add_failed(self._folder, state)
            message = f"{rows:,} rows that have failed are tried again"
            yield Notify(Progress(stage="preparing", message=message, done=rows, unit="rows"))
            yield from self._run(state, max_cost).steps()
            return (yield from self._ending(state))

    def _ending(self, state: JobState) -> Steps[R]:
        results = self._results(state)
        failures = results.failures
        failures.write(self._folder.failures)
        if failures:
            told = [f"{len(failures):,} of {len(results):,} rows have failed:"]
            told += [str(failure) for failure in failures[:SHOWN]]
            if len(failures) > SHOWN:
                told.append(f"and {len(failures) - SHOWN:,} more: see {self._folder.failures}")
            yield Notify(Progress(stage="failed", message="\n".join(told), done=len(failures)))
        rows = len(results) - len(failures)
        where = "" if self._folder.temporary else f": {self.directory}"
        message = f"{rows:,} of {len(results):,} rows are done{where}"
        yield Notify(
            Progress(stage="done", message=message, done=rows, total=len(results), unit="rows")
        )
        return results

    def _cancelling(self) -> Steps[None]:
        yield from self._run(self._state()).cancel()

    def _reading(self) -> Steps[R]:
        yield from ()
        return self._results(self._state())

    def _state(self) -> JobState:
        return JobState(self._folder, self._environment.now)

    def _run(self, state: JobState, max_cost: float | None = None) -> Run:
        environment = self._environment
        return Run(
            *(self._folder, state, self._polling, self._pace, environment.now, environment.random),
            max_cost=max_cost,
            counting=self._counting,
        )

    def _counting(self) -> Count | None:
        """What counts tokens, if that takes no request."""
        tokenizer = tokenization.at_hand(self.estimate.model, self._sender.tokenizers)
        return None if tokenizer is None else partial(tokenization.count, tokenizer)

    def _results(self, state: JobState) -> R:
        return self._kind(self._folder, state)

    @contextmanager
    def _kept(self, max_cost: float | None) -> Generator[None]:
        """Keep the directory if the block fails, and say where it is."""
        try:
            yield
        except JobDirectoryError:  # which is no job that goes on
            raise
        except NotRegularError as failure:  # in the place of what is written by its path
            raise JobDirectoryError(str(failure)) from failure
        except BaseException as failure:
            self._folder.keep()
            limit = "" if max_cost is None else f"max_cost={max_cost}"
            if isinstance(failure, MaxCostError):
                limit = "max_cost=..."
            failure.add_note(
                f"Nothing that was done is lost: the job is in {self.directory}, and goes on with "
                f"batches.resume({os.fspath(self.directory)!r}).run({limit})"
            )
            raise

    @whole
    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.estimate.rows:,} {self.estimate.noun}, {self.directory})"
        )


def _ignore(_: Progress) -> None:
    """Tell nobody."""


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and not isnan(value)


class Job(_Job[Sender, R]):
    """Many rows that are sent as batches: first estimated, then run.

    Attributes:
        id: The job's id, which its batches carry in their metadata.
        directory: Its directory.
        estimate: What it will cost.

    Example:
        >>> job = vo.batches.prepare_embed(["It rains.", "It snows."], model="voyage-4", poll=0.05)
        >>> job.estimate.tokens, job.estimate.batches
        (4, 1)
        >>> results = job.run(max_cost=1.00)
        >>> len(results)
        2
    """

    def run(self, max_cost: float | None = None) -> R:
        """Do all that is left to do, and give the results.

        It may be ended at any moment, and run again, in this process or in another one: nothing is
        uploaded, created or billed twice.

        Args:
            max_cost: US dollars that the job will not cost more than, in all its runs. A batch is
                sent only if what was billed, and what it and those under way can be billed at most,
                are within that. Without the model's tokenizer at hand each byte counts as a token
                until the answers tell, so batches may go in parts, one after the other.

        Returns:
            A row for each that was given, in their order.

        Raises:
            ArgumentError: `max_cost` is not a number.
            MaxCostError: It is estimated to cost more, and nothing was sent; or what is left could
                cost more: what is done is kept, and goes on under a higher `max_cost`.
            JobInUseError: It is run elsewhere.
            JobDirectoryError: Its directory was damaged; says which file and line.
            VoyageError: It could not go on; a note says where the job is.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4", poll=0.05)
            >>> job.run(max_cost=1.00).to_numpy().shape
            (1, 1024)
        """
        self._check_cost(max_cost)
        return self._carry_out(self._running(max_cost), max_cost)

    def retry_failed(self, max_cost: float | None = None) -> R:
        """Send the rows that have failed once more, as further batches, and give all results.

        Rows with a result are left alone. Rows of a request that was refused for what it holds go
        one by one, so that those that are not at fault succeed.

        Args:
            max_cost: As in `run`: US dollars for the whole job, with what it has cost before.

        Returns:
            All results, the earlier ones too.

        Raises:
            ArgumentError, MaxCostError: As in `run`.
            JobInUseError: It is run elsewhere.
            JobDirectoryError: Its directory was damaged; says which file and line.
            VoyageError: It could not go on; a note says where the job is.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4", poll=0.05)
            >>> results = job.run()
            >>> if results.failures:
            ...     results = job.retry_failed()
        """
        self._check_cost(max_cost)
        return self._carry_out(self._retrying(max_cost), max_cost)

    def results(self) -> R:
        """What has been downloaded so far. Rows that are not are among the failures.

        Returns:
            A row for each that was given, in their order.

        Raises:
            JobDirectoryError: The job's directory was damaged; says which file and line.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4")
            >>> len(job.results().failures)
            1
        """
        return self._run_flow(self._reading())

    def cancel(self) -> None:
        """Cancel the batches that are in flight; then `run` gives what they have come to.

        What was not created yet costs nothing, until `run` creates it.

        Raises:
            VoyageError: That could not be done.

        Example:
            >>> job = vo.batches.prepare_embed(["It rains."], model="voyage-4")
            >>> job.cancel()
        """
        self._run_flow(self._cancelling())

    def _carry_out(self, flow: Steps[R], max_cost: float | None) -> R:
        with self._kept(max_cost), showing(self._progress) as tell:
            return self._run_flow(flow, tell)

    def _run_flow(self, flow: Steps[T], tell: Told = _ignore) -> T:
        files = Files(self._sender)

        def send(step: Request[Message]) -> object:
            if callable(step.message):
                return step.message(files, tell)
            return self._sender.send(step.message, step.options)

        return run(flow, send, self._sender.sleep, tell)


class AsyncJob(_Job[AsyncSender, R]):
    """The same as `Job`, without blocking.

    Attributes:
        id: The job's id, which its batches carry in their metadata.
        directory: Its directory.
        estimate: What it will cost.

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
        """Do all that is left to do, and give the results.

        It may be ended at any moment, and run again, in this process or in another one: nothing is
        uploaded, created or billed twice.

        Args:
            max_cost: US dollars that the job will not cost more than, in all its runs. A batch is
                sent only if what was billed, and what it and those under way can be billed at most,
                are within that. Without the model's tokenizer at hand each byte counts as a token
                until the answers tell, so batches may go in parts, one after the other.

        Returns:
            A row for each that was given, in their order.

        Raises:
            ArgumentError: `max_cost` is not a number.
            MaxCostError: It is estimated to cost more, and nothing was sent; or what is left could
                cost more: what is done is kept, and goes on under a higher `max_cost`.
            JobInUseError: It is run elsewhere.
            JobDirectoryError: Its directory was damaged; says which file and line.
            VoyageError: It could not go on; a note says where the job is.

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
        return await self._carry_out(self._running(max_cost), max_cost)

    async def retry_failed(self, max_cost: float | None = None) -> R:
        """Send the rows that have failed once more, as further batches, and give all results.

        Rows with a result are left alone. Rows of a request that was refused for what it holds go
        one by one, so that those that are not at fault succeed.

        Args:
            max_cost: As in `run`: US dollars for the whole job, with what it has cost before.

        Returns:
            All results, the earlier ones too.

        Raises:
            ArgumentError, MaxCostError: As in `run`.
            JobInUseError: It is run elsewhere.
            JobDirectoryError: Its directory was damaged; says which file and line.
            VoyageError: It could not go on; a note says where the job is.

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
        return await self._carry_out(self._retrying(max_cost), max_cost)

    async def results(self) -> R:
        """What has been downloaded so far. Rows that are not are among the failures.

        Returns:
            A row for each that was given, in their order.

        Raises:
            JobDirectoryError: The job's directory was damaged; says which file and line.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4")
            ...         return len((await job.results()).failures)
            >>> asyncio.run(main())
            1
        """
        return await self._run_flow(self._reading())

    async def cancel(self) -> None:
        """Cancel the batches that are in flight; then `run` gives what they have come to.

        What was not created yet costs nothing, until `run` creates it.

        Raises:
            VoyageError: That could not be done.

        Example:
            >>> async def main():
            ...     async with voyageai.AsyncClient() as vo:
            ...         texts = ["It rains."]
            ...         job = await vo.batches.prepare_embed(texts, model="voyage-4")
            ...         await job.cancel()
            >>> asyncio.run(main())
        """
        await self._run_flow(self._cancelling())

    async def _carry_out(self, flow: Steps[R], max_cost: float | None) -> R:
        with self._kept(max_cost), showing(self._progress) as tell:
            return await self._run_flow(flow, tell)

    async def _run_flow(self, flow: Steps[T], tell: Told = _ignore) -> T:
        files = AsyncFiles(self._sender)

        async def send(step: Request[Message]) -> object:
            if callable(step.message):
                return await step.message(files, tell)
            return await self._sender.send(step.message, step.options)

        return await run_async(flow, send, self._sender.sleep, tell, in_threads=True)
