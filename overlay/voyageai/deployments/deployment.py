"""The deployments that users name: values, with what proves who calls."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from voyageai_rest.deployments import DEPLOYMENTS

from .._utils import Url, safe_repr
from ..error import ArgumentError
from ..extras import require
from ..keys import concealed, usable
from ..limits import check_model
from ..options import check_headers
from .signing import GoogleToken, NoAuth, SigV4

if TYPE_CHECKING:
    from voyageai_rest.deployments import DeploymentKind

    from ..keys import ApiKey

ENDPOINT = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
"""Names of SageMaker's endpoints."""
NAMED = re.compile(r"/endpoints/([^/]+)(?:/invocations)?/*$")
"""The name of an endpoint in a URL of SageMaker's."""
REGION = re.compile(r"\bsagemaker\.([a-z0-9-]+)\.")
"""The region in a URL of SageMaker's."""
GATEWAYS = tuple(
    name for name, kind in DEPLOYMENTS.items() if kind.authentication in ("key", "optional key")
)
"""Kinds of gateways."""


class Deployment:
    """A place that serves the models, other than the API's own hosts.

    Attributes:
        kind: What is the same of all deployments of its kind, from the contract.
        url: Its base URL.
        model: The only model that it serves, where that was said.
        headers: Headers of every request, whose values no repr shows.
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
        # What a pickle holds, and the argument that keeps it from being one.
        self._given: Mapping[str, Any] = {"url": str(self.url), "model": model}
        self._secret = ""
        self._hook: Any = NoAuth()

    @classmethod
    def of(cls, given: object) -> Deployment:
        """Return a deployment, or the one that a text names: `NAME+URL`, or `NAME` of a gateway.

        Args:
            given: A deployment, or a text such as `azure+http://10.0.0.4`, `openrouter`,
                `sagemaker+https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/NAME`.

        Raises:
            ArgumentError: It is neither.
        """
        if isinstance(given, Deployment):
            return given
        if isinstance(given, str):
            name, _, url = given.partition("+")
            if name in DEPLOYMENTS and (url or "{" not in DEPLOYMENTS[name].url):
                return _MADE_OF[name](url) if name in _MADE_OF else Gateway(url or name, name)
            shown = f"{name}+..." if "+" in given else repr(given)
        else:
            shown = f"of type {type(given).__name__}"
        raise ArgumentError(
            "deployment must be one of voyageai.deployments, such as SageMaker(...), or a text "
            f"NAME+URL where NAME is one of {', '.join(DEPLOYMENTS)}, not {shown}",
            "deployment",
        )

    def find_key(self, given: object, environment: Mapping[str, str] = os.environ) -> ApiKey | None:
        """Return the key that goes with requests; None where none was given, or none is taken.

        Args:
            given: The client's argument.
            environment: Environment variables, of which only the deployment's own is read.

        Raises:
            ArgumentError: One was given, and none is taken.
            AuthenticationError: It can't be a key.
        """
        if self.kind.authentication not in ("key", "optional key"):
            if given is not None:
                raise ArgumentError(
                    f"api_key is not sent to {self.kind.title}, which takes none; leave it out",
                    "api_key",
                )
            return None
        if given is not None and given != "":
            return usable(given, "the argument api_key")
        name = self.kind.key_variable or ""
        return usable(environment.get(name, ""), name)

    def missing_key(self) -> str:
        """Return what to say where there is no key, and one is needed."""
        variable, title = self.kind.key_variable, self.kind.title
        either = f", or set {variable}" if variable else ""
        return (
            f"{title[0].upper()}{title[1:]} needs a key of its own: pass api_key{either}. What is "
            "in VOYAGE_API_KEY is not sent there: it is a key of the Voyage API."
        )

    def auth(self, key: str | None) -> Any:
        """Return what proves who calls; None where the key in the header Authorization does.

        Args:
            key: The client's key, if it has one.
        """
        return None if key is not None or self.kind.authentication == "key" else self._hook

    @safe_repr
    def __repr__(self) -> str:
        model = "" if self.model is None else f", model={self.model!r}"
        return f"{type(self).__name__}(url={self.url!r}{model})"

    def __deepcopy__(self, memo: object) -> Self:
        return self  # nothing of it changes, and what a session holds can't be copied

    def __reduce__(self) -> tuple[Any, ...]:
        if self._secret:
            raise TypeError(
                f"{type(self).__name__} holds credentials, given as {self._secret}, and is not "
                "pickled; make it where it is used"
            )
        return _made, (type(self), dict(self._given))


class SageMaker(Deployment):
    """A model package of the AWS Marketplace, on an endpoint of Amazon SageMaker.

    Needs the extra `sagemaker`. Requests are signed with AWS's signature, version 4.

    Args:
        endpoint: Name of the endpoint.
        region: Its region; None for the session's.
        model: The model that it serves. Calls that name none are for this one.
        session: A `botocore.session.Session`, or `boto3.Session`, whose credentials sign; None for
            those that all tools of AWS find.
        url: The host in place of the region's, such as that of a VPC endpoint; what is below it,
            `/endpoints/NAME`, is added unless it is there.

    Raises:
        ArgumentError: The name can't be an endpoint's, the URL is of another endpoint, the session
            is none, or no region is known.
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
                f"{type(session).__name__}; of a profile: boto3.Session(profile_name=...)",
                "session",
            )
        if isinstance(url, str):
            url = _url_of(url, endpoint)
        if region is None and isinstance(url, str) and (found := REGION.search(url)):
            region = found[1]
        if region is None:
            asked = session or botocore.get_session()
            region = getattr(asked, "region_name", None) or _configured_region(asked)
        if not isinstance(region, str) or not re.fullmatch("[a-z0-9-]+", region):
            raise ArgumentError(
                f"region must be a region of AWS, such as 'us-east-1', not {region!r}; without it, "
                "AWS_DEFAULT_REGION or the profile must have one",
                "region",
            )
        kind = DEPLOYMENTS["sagemaker"]
        super().__init__(
            kind, url or kind.url.format(region=region, endpoint=endpoint), model=model
        )
        self._hook = SigV4(region, session)
        self._given = {**self._given, "endpoint": endpoint, "region": region}
        self._secret = "" if session is None else "session"

    @safe_repr
    def __repr__(self) -> str:
        model = "" if self.model is None else f", model={self.model!r}"
        return f"SageMaker({self._given['endpoint']!r}, url={self.url!r}{model})"


class AzureApp(Deployment):
    """An application of the Azure Marketplace, in a virtual network of one's own.

    It takes no key, and none is sent.

    Args:
        url: Where it is, such as `http://10.0.0.4`.
        model: The model that it serves. Calls that name none are for this one.

    Raises:
        ArgumentError: The URL is none.

    Example:
        >>> AzureApp("http://10.0.0.4", model="voyage-4")
        AzureApp(url='http://10.0.0.4', model='voyage-4')
    """

    def __init__(self, url: str, *, model: str | None = None) -> None:
        super().__init__(DEPLOYMENTS["azure"], url, model=model)


class VertexEndpoint(Deployment):
    """A model of Google's Model Garden, on a dedicated endpoint of Vertex AI.

    Needs the extra `vertex`. Requests carry a token of Google's.

    Args:
        url: URL of the endpoint: `https://`, its dedicated DNS, `/v1/` and its resource name.
        model: The model that it serves. Calls that name none are for this one.
        credentials: `google.auth.credentials.Credentials`; None for the application's default.

    Raises:
        ArgumentError: The URL is none, or the credentials are none.
        ImportError: The extra is not installed.
    """

    def __init__(self, url: str, *, model: str | None = None, credentials: Any = None) -> None:
        require("google.auth.transport.requests", "vertex")
        if credentials is not None and not callable(getattr(credentials, "refresh", None)):
            raise ArgumentError(
                "credentials must be google.auth.credentials.Credentials, not "
                f"{type(credentials).__name__}; of a file: google.auth.load_credentials_from_file"
                "(...)[0]",
                "credentials",
            )
        super().__init__(DEPLOYMENTS["vertex"], url, model=model)
        self._hook = GoogleToken(credentials)
        self._secret = "" if credentials is None else "credentials"


class Gateway(Deployment):
    """A gateway, with keys and model names of its own.

    Its key is the client's `api_key`, or in the environment variable that the gateway's own tools
    read. That of the Voyage API is not sent to it, unless it wants that key.

    Args:
        url: Its base URL, or the name of a gateway that has one: `openrouter`, `vercel`, `portkey`.
        dialect: How it wants requests: `voyage` if it passes them on, `openai` if it takes
            embeddings as OpenAI does, or the name of a gateway: `openrouter`, `vercel`, `portkey`,
            `litellm`, `cloudflare`.
        headers: Headers of every request, such as a key of the gateway's own.

    Raises:
        ArgumentError: The URL is none, there is no such dialect, or a header can't be sent.

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


_MADE_OF: Mapping[str, Callable[[str], Deployment]] = {
    "sagemaker": lambda url: SageMaker(found[1] if (found := NAMED.search(url)) else "", url=url),
    "azure": AzureApp,
    "vertex": VertexEndpoint,
}
"""What makes a deployment of its URL, by kind; of all other kinds it is `Gateway`."""


def _url_of(url: str, endpoint: str) -> str:
    """Return the URL of an endpoint of SageMaker's, of that of its host or its own.

    Raises:
        ArgumentError: It is of another endpoint.
    """
    found = NAMED.search(url)
    if found is None:
        return f"{url.rstrip('/')}/endpoints/{endpoint}"
    if found[1] != endpoint:
        raise ArgumentError(
            f"url is that of the endpoint {found[1]!r}, but endpoint is {endpoint!r}; give the URL "
            "of the host alone",
            "url",
        )
    return f"{url[: found.start()]}/endpoints/{endpoint}"


def _made(kind: type[Deployment], given: Mapping[str, Any]) -> Deployment:
    """Return a deployment that was pickled."""
    return kind(**given)


def _configured_region(session: Any) -> Any:
    """Return the region of a session of botocore."""
    return (
        session.get_config_variable("region") if hasattr(session, "get_config_variable") else None
    )
