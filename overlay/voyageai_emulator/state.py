"""The state of an emulator, shared by all its parts."""

from __future__ import annotations

import re
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen
from voyageai_admin_rest.spec import load as load_admin
from voyageai_rest.catalogue import BATCH
from voyageai_rest.spec import load

from .atlas import Accounts, Credentials
from .authentication import Authenticator
from .bodies import MAX_UPLOAD, max_body
from .concurrency import Slots
from .contract import Contract
from .deployments import base_path, find_deployment
from .engine import create_engine
from .faults import FaultPlan
from .media import MediaReader
from .model_limits import ModelContext
from .rate_limits import RateLimits
from .recording import RecordedRequests, RecordFile
from .store import Store, microseconds
from .timing import Clock, Latency

if TYPE_CHECKING:
    from voyageai_rest.deployments import DeploymentKind

    from .authentication import Caller
    from .contract import Operation
    from .settings import Settings

__all__ = ["BatchLimits", "EmulatorState"]

TOKEN = re.compile("[!-~]([ -~]*[!-~])?")
"""A text that can be a header value."""


@frozen(kw_only=True)
class BatchLimits:
    """Limits of batch jobs and of the files they need; by default the API's.

    Attributes:
        max_inputs: Lines of a job.
        max_jobs_in_flight: Jobs in flight, per organization.
        max_tokens_in_flight: Tokens of all jobs in flight, per organization.
        max_file_bytes: Bytes of an uploaded file.
    """

    max_inputs: int = BATCH.max_inputs
    max_jobs_in_flight: int = BATCH.max_jobs_in_flight
    max_tokens_in_flight: int = BATCH.max_tokens_in_flight
    max_file_bytes: int = MAX_UPLOAD


class EmulatorState:
    """The state of an emulator, without its batch jobs and its server.

    Attributes:
        settings: Settings of the emulator.
        clock: Clock of the emulator.
        contract: Contract of the API.
        requests: The received requests.
        faults: The plan of faults.
        admin_contract: Contract of the administration of keys and limits.
        accounts: Keys and limits of the administration.
        credentials: Checks credentials of the administration.
        authenticator: Checks API keys.
        limits: Rate limits.
        batch_limits: Limits of batch jobs; may be replaced.
        latency: Latency of responses; may be replaced.
        slots: Limit on concurrent requests.
        engine: Makes vectors and scores; may be replaced.
        admin_token: Token of the admin routes.
        deployment: Kind of the emulated deployment; None for the API itself.
        deployed_model: Name of the model of that deployment.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock(settings.clock)
        self.contract = Contract(load() if settings.document is None else settings.document)
        self._max_body = {
            endpoint: max_body(m for m in settings.models.values() if m.endpoint == endpoint)
            for endpoint in (operation.path.strip("/") for operation in self.contract.operations)
        }
        self.admin_contract = Contract(load_admin())
        self.credentials = Credentials(settings.admin_credentials, self.clock)
        contracts = (self.contract, self.admin_contract)
        operations = [operation.id for each in contracts for operation in each.operations]
        self.faults = FaultPlan(operations)
        self.faults.start(settings.faults)
        self.limits = RateLimits(
            settings.tier, settings.models, self.clock, retry_after=settings.retry_after
        )
        self.batch_limits = BatchLimits()
        self.latency = Latency(settings.latency)
        self.slots = Slots(settings.concurrency)
        token = settings.admin_token
        self.admin_token = secrets.token_urlsafe(16) if token is None else token
        if not TOKEN.fullmatch(self.admin_token):
            raise ValueError("admin_token must be printable ASCII, without spaces around it")
        self.engine = create_engine(settings.engine)
        self.deployment: DeploymentKind | None = None
        self.deployed_model: str | None = None
        if settings.deployment is not None:
            self.deployment, self.deployed_model = find_deployment(settings.deployment)
        self._media = MediaReader(settings.allow_hosts)
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._record_file = None if settings.record is None else RecordFile(settings.record)
        self.requests = RecordedRequests(
            operations,
            clock=self.clock,
            on_done=None if self._record_file is None else self._record_file.write,
        )
        try:
            kept = None if settings.state is None else self.store.accounts
            self.accounts = Accounts(settings.models, self.clock, kept)
            self.authenticator = Authenticator(settings.api_key, settings.platform, self.accounts)
        except BaseException:
            self.close()
            raise

    @property
    def store(self) -> Store:
        """The store of files, batch jobs, keys and limits, created on first use."""
        with self._lock:
            if self._store is None:
                state = self.settings.state
                # Absolute, as SQLite has special names such as ":memory:".
                self._store = Store(None if state is None else str(Path(state).absolute()))
            return self._store

    @property
    def base(self) -> str:
        """Path of the base URL."""
        return self.contract.base if self.deployment is None else base_path(self.deployment)

    def now(self) -> int:
        """Return the time in microseconds since 1970, the unit of the store."""
        return microseconds(self.clock())

    def close(self) -> None:
        """Close all files."""
        if self._store is not None:
            self._store.close()
        if self._record_file is not None:
            self._record_file.close()

    def max_body(self, operation: Operation) -> int:
        """Return the maximum of bytes of a body of an operation."""
        return self._max_body[operation.path.strip("/")]

    def model_context(self, operation: Operation, caller: Caller) -> ModelContext:
        """Return the models that an endpoint serves to a caller, with the engine."""
        endpoint = operation.path.strip("/")
        models = {
            name: self.authenticator.at_host(model, caller)
            for name, model in self.settings.models.items()
            if model.endpoint == endpoint and self.authenticator.serves(model, caller)
        }
        return ModelContext(models, self.engine, self._media)
