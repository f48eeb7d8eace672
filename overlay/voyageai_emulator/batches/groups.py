"""Lines of a job that are answered together."""

from __future__ import annotations

import contextlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from voyageai_rest.errors import ShapeError

from ..authentication import Caller
from ..error_messages import invalid_argument
from ..handlers import MODEL_HANDLERS
from ..responses import ApiError
from .endpoints import endpoint_of
from .gathering import BatchingEngine
from .outcomes import answered, not_run, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voyageai_rest.models import BatchLineError

    from ..state import EmulatorState
    from ..store import Job
    from .failures import Failures
    from .outcomes import Outcome

__all__ = ["Group", "Sweep"]

LOG = logging.getLogger(__name__)
FULL = 256
"""Passages and documents from which on a group takes no more lines: what is held in memory."""


class Group:
    """Lines that the endpoint answers, by the code that answers requests to it."""

    def __init__(self, world: EmulatorState, job: Job, failures: Failures) -> None:
        self._contract, self._job, self._failures = world.contract, job, failures
        self._operation, _ = endpoint_of(world.contract, job.endpoint)
        serving = world.serving(self._operation, Caller(job.owner, job.platform))
        self._engine = BatchingEngine(serving.engine)
        self._serving = serving._replace(engine=self._engine)
        self._lines: list[Mapping[str, Any]] = []

    @property
    def is_full(self) -> bool:
        """Whether that is enough."""
        return self._engine.size >= FULL

    def add(self, line: Mapping[str, Any]) -> None:
        """Take in a line."""
        self._lines.append(line)
        # It is answered, and what is wrong with it is said, when all are there.
        with contextlib.suppress(Exception):
            self._answer(line)

    def outcomes(self) -> list[Outcome]:
        """What comes of the lines."""
        self._engine.complete = True
        return [self._outcome(line) for line in self._lines]

    def _outcome(self, line: Mapping[str, Any]) -> Outcome:
        custom_id: str = line["custom_id"]
        refusal = self._failures.draw(self._job.id, custom_id)
        if refusal is not None:
            return refused(custom_id, refusal)
        try:
            return answered(custom_id, self._answer(line))
        except ApiError as error:
            return refused(custom_id, error)
        except ShapeError as error:
            return refused(custom_id, invalid_argument(error.path, error.reason))
        except Exception:  # as a request would, the line gets a 500, and the next its turn
            LOG.exception("line %r of %s failed", custom_id, self._job.id)
            broken = ApiError("Internal Server Error", HTTPStatus.INTERNAL_SERVER_ERROR)
            return refused(custom_id, broken)

    def _answer(self, line: Mapping[str, Any]) -> dict[str, Any]:
        body = {**self._job.request_params, **line["body"]}
        checked = self._contract.check(self._operation.schema or "", body)
        return MODEL_HANDLERS[self._operation.id](checked, self._serving).to_dict()


class Sweep:
    """Lines that will not run, for one reason."""

    is_full = False

    def __init__(self, reason: BatchLineError) -> None:
        self._reason = reason
        self._outcomes: list[Outcome] = []

    def add(self, line: Mapping[str, Any]) -> None:
        """Take in a line."""
        self._outcomes.append(not_run(line["custom_id"], self._reason))

    def outcomes(self) -> list[Outcome]:
        """What comes of the lines."""
        return self._outcomes
