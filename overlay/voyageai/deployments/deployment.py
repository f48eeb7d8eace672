"""The deployments that users pass to a client, with their authentication."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from voyageai_rest.deployments import DEPLOYMENTS

from .._utils import Url, safe_repr
from ..argument_checks import check_model
from ..error import ArgumentError
from ..extras import require
from ..keys import concealed, usable
from ..options import check_headers
from .signing import GoogleToken, NoAuth, SigV4

if TYPE_CHECKING:
    from voyageai_rest.deployments import DeploymentKind

    from ..keys import ApiKey

ENDPOINT = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
"""Names of SageMaker endpoints."""
NAMED = re.compile(r"/endpoints/([^/]+)(?:/invocations)?/*$")
"""The name of an endpoint in a SageMaker URL."""
REGION = re.compile(r"\bsagemaker\.([a-z0-9-]+)\.")
"""The region in a SageMaker URL."""
GATEWAYS = tuple(
    name for name, kind in DEPLOYMENTS.items() if kind.authentication in ("key", "optional key")
)
"""Kinds of gateways."""


class Deployment:
    """A host that serves the models, other than those of the API.

    Attributes:
        kind: The kind of the deployment, as the contract describes it.
        url: Base URL of the deployment.
        model: The only model that it serves, if given.
        headers: Headers of every request; reprs mask their values.
    """

    def __init__(
        self,
        kind: DeploymentKind,
        url: str,
        *,
        model: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        given: Any = url  # users may pass anything
        if not isinstance(given, str) or not given.startswith(("http://", "https://")):
            shown = (
                repr(Url(given)) if isinstance(given, str) else f"of type {type(given).__name__}"
            )
            raise ArgumentError(
                f"url must be a URL with http:// or https://, of the form {kind.url}, not {shown}",
                "url",
            )
        self.kind = kind
        self.url = Url(url.rstrip("/"))
        self.model = None if model is None else check_model(model)
        self.headers: Mapping[str, str] = concealed(check_headers("headers", headers or {}))
        # The arguments to pickle, and the name of an argument that prevents pickling.
        self._given: Mapping[str, Any] = {"url": str(self.url), "model": model}
        self._secret = ""
        self._auth: Any = NoAuth()

    @classmethod
    def of(cls, given: object) -> Deployment:
        """Return a deployment, also from a string: `NAME+URL`, or `NAME` for some gateways.

        Args:
            given: A deployment, or a string such as `azure+http://10.0.0.4`, `openrouter`,
                `sagemaker+https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/NAME`.

        Raises:
            ArgumentError: `given` is neither.
        """
        if isinstance(given, Deployment):
            return given
        if isinstance(given, str):
            name, _, url = given.partition("+")
            if name in DEPLOYMENTS and (url or "{" not in DEPLOYMENTS[name].url):
                return _FROM_URL[name](url) if name in _FROM_URL else Gateway(url or name, name)
            shown = f"{name}+..." if "+" in given else repr(given)
        else:
            shown = f"of type {type(given).__name__}"
        raise ArgumentError(
            "deployment must be one of voyageai.deployments, such as SageMaker(...), or a string "
            f"NAME+URL where NAME is one of {', '.join(DEPLOYMENTS)}, not {shown}",
            "deployment",
        )

    def find_key(self, given: object, environment: Mapping[str, str] = os.environ) -> ApiKey | None:
        """Return the key to send; None if there is none, or the deployment takes none.

        Args:
            given: The client's `api_key`.
            environment: Environment variables, of which only the deployment's own is read.

        Raises:
            ArgumentError: A key is given, but the deployment takes none.
            AuthenticationError: The key can't be one.
        """
        if self.kind.authentication not in ("key", "optional key"):
            if given is not None:
                raise ArgumentError(
                    f"api_key is given, but {self.kind.title} takes none; leave it out",
                    "api_key",
                )
            return None
        if given is not None and given != "":
            return usable(given, "the argument api_key")
        name = self.kind.key_variable or ""
        return usable(environment.get(name, ""), name)

    def missing_key(self) -> str:
        """Return the error message for a missing key."""
        variable, title = self.kind.key_variable, self.kind.title
        either = f", or set {variable}" if variable else ""
        return (
            f"{title[0].upper()}{title[1:]} needs a key of its own: pass api_key{either}. "
            "VOYAGE_API_KEY is not sent there, as it is a key of the Voyage API."
        )

    def auth(self, key: str | None) -> Any:
        """Return the `httpx2.Auth` of requests; None if the key authenticates them.

        Args:
            key: The client's key; None without one.
        """
        return None if key is not None or self.kind.authentication == "key" else self._auth

    @safe_repr
    def __repr__(self) -> str:
        model = "" if self.model is None else f", model={self.model!r}"
        return f"{type(self).__name__}(url={self.url!r}{model})"

    def __deepcopy__(self, memo: object) -> Self:
        return self  # immutable, and a session can't be copied

    def __reduce__(self) -> tuple[Any, ...]:
        if self._secret:
            raise TypeError(
                f"a {type(self).__name__} with {self._secret}=... holds credentials and can't be "
                "pickled; make it where it is used"
            )
        return _restored, (type(self), dict(self._given))


class SageMaker(Deployment):
    """A model package of the AWS Marketplace, on an endpoint of Amazon SageMaker.

    Needs the extra `sagemaker`. Requests are signed with AWS Signature Version 4.

    Args:
        endpoint: Name of the endpoint.
        region: Region of the endpoint; None for the session's.
        model: The model that the endpoint serves, the default of calls.
        session: A `botocore.session.Session` or `boto3.Session` with credentials; None for AWS's
            default credentials.
        url: URL in place of the region's host, such as that of a VPC endpoint; `/endpoints/NAME` is
            added if missing.

    Raises:
        ArgumentError: `endpoint` is no name of an endpoint, `url` is of another endpoint, `session`
            is no session, or no region is known.
        ImportError: The extra is not installed.

    Example:
        >>> SageMaker("my-endpoint", "us-east-1", model="voyage-4").url
        'https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/my-endpoint'
    """

    def __init__(
        self,
        endpoint: str,
        region: str | None = None,
        *,
        model: str | None = None,
        session: Any = None,
        url: str | None = None,
    ) -> None:
        botocore = require("botocore.session", "sagemaker")
        given: Any = endpoint  # users may pass anything
        if not isinstance(given, str) or not ENDPOINT.fullmatch(given):
            raise ArgumentError(
                "endpoint must be the name of an endpoint, up to 63 letters, digits and hyphens, "
                f"not {endpoint!r}",
                "endpoint",
            )
        if session is not None and not callable(getattr(session, "get_credentials", None)):
            raise ArgumentError(
                "session must be a botocore.session.Session or a boto3.Session, not "
                f"{type(session).__name__}; for a profile: boto3.Session(profile_name=...)",
                "session",
            )
        if isinstance(url, str):
            url = _url_of(url, endpoint)
        if region is None and isinstance(url, str) and (found := REGION.search(url)):
            region = found[1]
        if region is None:
            aws = session or botocore.get_session()
            region = getattr(aws, "region_name", None) or _configured_region(aws)
        if not isinstance(region, str) or not re.fullmatch("[a-z0-9-]+", region):
            raise ArgumentError(
                f"region must be an AWS region, such as 'us-east-1', not {region!r}; without it, "
                "AWS_DEFAULT_REGION or the profile must name one",
                "region",
            )
        kind = DEPLOYMENTS["sagemaker"]
        super().__init__(
            kind, url or kind.url.format(region=region, endpoint=endpoint), model=model
        )
        self._auth = SigV4(region, session)
        self._given = {**self._given, "endpoint": endpoint, "region": region}
        self._secret = "" if session is None else "session"

    @safe_repr
    def __repr__(self) -> str:
        model = "" if self.model is None else f", model={self.model!r}"
        return f"SageMaker({self._given['endpoint']!r}, url={self.url!r}{model})"


class AzureApp(Deployment):
    """An application of the Azure Marketplace, in a virtual network of your own.

    It takes no API key.

    Args:
        url: Base URL, such as `http://10.0.0.4`.
        model: The model that the application serves, the default of calls.

    Raises:
        ArgumentError: `url` is no URL with http:// or https://.

    Example:
        >>> AzureApp("http://10.0.0.4", model="voyage-4")
        AzureApp(url='http://10.0.0.4', model='voyage-4')
    """

    def __init__(self, url: str, *, model: str | None = None) -> None:
        super().__init__(DEPLOYMENTS["azure"], url, model=model)


class VertexEndpoint(Deployment):
    """A model of Google's Model Garden, on a dedicated endpoint of Vertex AI.

    Needs the extra `vertex`. Requests carry a Google access token.

    Args:
        url: URL of the endpoint: `https://`, its dedicated DNS, `/v1/` and its resource name.
        model: The model that the endpoint serves, the default of calls.
        credentials: `google.auth.credentials.Credentials`; None for Application Default
            Credentials.

    Raises:
        ArgumentError: `url` is no URL, or `credentials` are of another type.
        ImportError: The extra is not installed.
    """

    def __init__(self, url: str, *, model: str | None = None, credentials: Any = None) -> None:
        require("google.auth.transport.requests", "vertex")
        if credentials is not None and not callable(getattr(credentials, "refresh", None)):
            raise ArgumentError(
                "credentials must be google.auth.credentials.Credentials, not "
                f"{type(credentials).__name__}; from a file: google.auth.load_credentials_from_file"
                "(...)[0]",
                "credentials",
            )
        super().__init__(DEPLOYMENTS["vertex"], url, model=model)
        self._auth = GoogleToken(credentials)
        self._secret = "" if credentials is None else "credentials"


class Gateway(Deployment):
    """A gateway, with keys and model names of its own.

    Its key is the client's `api_key`, or that of the environment variable of the gateway's own
    tools. The Voyage API's key is not sent to it, unless the gateway expects that key.

    Args:
        url: Base URL of the gateway, or the name of one with a fixed URL: `openrouter`, `vercel`,
            `portkey`.
        dialect: Form of requests: `voyage` for a gateway that passes them on, `openai` for one with
            OpenAI's interface for embeddings, or the name of a gateway: `openrouter`, `vercel`,
            `portkey`, `litellm`, `cloudflare`.
        headers: Headers of every request, such as a key for the gateway itself.

    Raises:
        ArgumentError: `url` is no URL, `dialect` is unknown, or a header can't be sent.

    Example:
        >>> Gateway("openrouter")
        Gateway(url='https://openrouter.ai/api/v1', dialect='openrouter')
        >>> Gateway("http://127.0.0.1:4000/v1", dialect="litellm")
        Gateway(url='http://127.0.0.1:4000/v1', dialect='litellm')
    """

    def __init__(
        self,
        url: str,
        dialect: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if dialect is None:
            dialect = url if url in GATEWAYS else "openai"
        if dialect not in GATEWAYS:
            raise ArgumentError(
                f"dialect must be one of {', '.join(GATEWAYS)}, not {dialect!r}", "dialect"
            )
        kind = DEPLOYMENTS[dialect]
        if url in GATEWAYS:
            url = DEPLOYMENTS[url].url
            if "{" in url:
                raise ArgumentError(
                    f"url must be the base URL of {kind.title}, of the form {url}", "url"
                )
        super().__init__(kind, url, headers=headers)
        self._given = {"url": str(self.url), "dialect": dialect}
        self._secret = "headers" if headers else ""

    @safe_repr
    def __repr__(self) -> str:
        return f"Gateway(url={self.url!r}, dialect={self.kind.name!r})"


_FROM_URL: Mapping[str, Callable[[str], Deployment]] = {
    "sagemaker": lambda url: SageMaker(found[1] if (found := NAMED.search(url)) else "", url=url),
    "azure": AzureApp,
    "vertex": VertexEndpoint,
}
"""Functions that make a deployment from a URL, by kind; other kinds are a `Gateway`."""


def _url_of(url: str, endpoint: str) -> str:
    """Return the URL of a SageMaker endpoint, from that of its host or its own.

    Raises:
        ArgumentError: The URL is of another endpoint.
    """
    found = NAMED.search(url)
    if found is None:
        return f"{url.rstrip('/')}/endpoints/{endpoint}"
    if found[1] != endpoint:
        raise ArgumentError(
            f"url is that of the endpoint {found[1]!r}, but endpoint is {endpoint!r}; pass only "
            "the URL of the host",
            "url",
        )
    return f"{url[: found.start()]}/endpoints/{endpoint}"


def _restored(kind: type[Deployment], given: Mapping[str, Any]) -> Deployment:
    """Restore a pickled deployment."""
    return kind(**given)


def _configured_region(session: Any) -> Any:
    """Return the region of a botocore session."""
    return (
        session.get_config_variable("region") if hasattr(session, "get_config_variable") else None
    )
