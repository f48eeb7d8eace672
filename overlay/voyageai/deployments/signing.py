"""Authentication at deployments: a signature of AWS, a token of Google, or none.

The classes have the interface of `httpx2.Auth`: they see the final bytes of each attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..error import AuthenticationError
from ..extras import require

if TYPE_CHECKING:
    import httpx2

    Flow = Generator[httpx2.Request, httpx2.Response, None]

SERVICE = "sagemaker"
ALGORITHM = "AWS4-HMAC-SHA256"
SIGNED = ("accept", "content-type", "host")
"""Headers to sign, in addition to AWS's own."""
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class NoAuth:
    """No authentication."""

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Send the request unchanged."""
        yield request


class SigV4:
    """AWS Signature Version 4, with credentials that botocore finds and renews.

    botocore's own signer would log the session token at DEBUG.

    Args:
        region: Region of the endpoint.
        session: A `botocore.session.Session` or a `boto3.Session`; None for a new one with AWS's
            default credentials.
        now: Function that returns the current time, in UTC.

    Attributes:
        blocks: True: credentials are read from files and the network.
    """

    blocks = True

    def __init__(
        self, region: str, session: Any, now: Callable[[], datetime] | None = None
    ) -> None:
        self._region = region
        self._session = session
        self._now = now or partial(datetime.now, UTC)
        self._cached: Any = None
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Sign the request and send it.

        Raises:
            AuthenticationError: No credentials are found, or they can't be renewed.
        """
        sign(request, self._credentials(), self._region, self._now())
        yield request

    def _credentials(self) -> Any:
        """Return credentials that are valid for at least some minutes."""
        try:
            with self._lock:
                if self._cached is None:
                    new = require("botocore.session", "sagemaker").get_session
                    self._cached = (self._session or new()).get_credentials()
            frozen = None if self._cached is None else self._cached.get_frozen_credentials()
        except Exception as failure:  # noqa: BLE001  # from botocore's providers, which may be third-party
            raise AuthenticationError(
                f"The AWS credentials can't be read: {type(failure).__name__}: {failure}"
            ) from None
        if frozen is None:
            raise AuthenticationError(
                "No AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "or a profile or a role, or pass session=... to SageMaker."
            )
        return frozen


def sign(request: httpx2.Request, credentials: Any, region: str, now: datetime) -> None:
    """Add the headers of AWS Signature Version 4 to a request whose body is read.

    Args:
        request: The request.
        credentials: An object with `access_key`, `secret_key` and `token`, as in botocore.
        region: Region of the endpoint.
        now: The current time, in UTC.
    """
    headers = request.headers
    for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):  # of an earlier attempt
        headers.pop(name, None)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers["X-Amz-Date"] = stamp
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    signed = sorted(n for n in headers if n in SIGNED or n.startswith(("x-amz-", "x-amzn-")))
    names = ";".join(signed)
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    path = quote(path, safe="/~")  # a second time, as AWS requires
    digest = hashlib.sha256(request.content).hexdigest()
    canonical = f"{request.method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(
        key, f"{ALGORITHM}\n{stamp}\n{scope}\n{hashed}".encode(), "sha256"
    ).hex()
    headers["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )


class GoogleToken:
    """Google access tokens, found and renewed by google-auth; a refused token is renewed once.

    Args:
        credentials: `google.auth.credentials.Credentials`; None for Application Default
            Credentials.

    Attributes:
        blocks: True: tokens come from files and the network.
    """

    blocks = True

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Send the request with a token, and again with a new one if that is refused.

        Raises:
            AuthenticationError: No credentials are found, or they yield no token.
        """
        used = self._token(None)
        request.headers["Authorization"] = f"Bearer {used}"
        answer = yield request
        if answer.status_code == 401:
            request.headers["Authorization"] = f"Bearer {self._token(used)}"
            yield request

    def _token(self, refused: str | None) -> str:
        """Return a valid token other than the refused one."""
        google = require("google.auth", "vertex")
        transport = require("google.auth.transport.requests", "vertex")
        try:
            with self._lock:
                if self._credentials is None:
                    self._credentials = google.default(scopes=[SCOPE])[0]
                if not self._credentials.valid or self._credentials.token == refused:
                    self._credentials.refresh(transport.Request())
                token: str = self._credentials.token
        except Exception as failure:  # noqa: BLE001  # from google-auth's providers, which may be third-party
            reason = failure.args[0] if failure.args else ""
            raise AuthenticationError(
                f"Google's credentials can't be read: {type(failure).__name__}: {reason}"
            ) from None
        return token
