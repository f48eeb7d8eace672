"""The hosts that serve the models besides those of the API, as data.

`spec/deployments.yaml` gives the source of each value.

    >>> DEPLOYMENTS["openrouter"].renamed["top_k"]
    'top_n'
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Mapping[str, str] = MappingProxyType({})


@frozen(kw_only=True)
class DeploymentKind:
    """A kind of deployment: the properties that all its deployments share.

    Attributes:
        name: Short name, as in code.
        title: Name for people.
        about: Description in one sentence.
        authentication: Method of authentication.
        url: Base URL, with `{name}` for each part that depends on the account.
        paths: Supported operations: the first segment of their path at the API, and the path
            that replaces it here.
        key_variable: Environment variable of the API key.
        one_model: True if a deployment serves one model, which requests do not name.
        model_prefix: Prefix of the names of the catalogue's models.
        renamed: Request fields of the API, and their names here; `outer.inner` for a field of an
            object.
        implied: Request fields and values that are not sent, because they are the default here or
            only select a format of the response.
        refused: Unsupported request fields, each with the reason; `operation.field` for a field
            that one operation lacks.
        fetches_urls: True if the deployment can fetch images and videos from URLs.
        max_request_bytes: Maximum size of a request body in bytes.
        answers: Response fields here, and their names at the API.
        statuses: Names of errors, and the HTTP status of the API for each.
        request_id: Response header that contains the id of the request.
        headers: Headers that users may set, each with a description.
        health: Path that returns whether the model is loaded.
    """

    name: str
    title: str
    about: str
    authentication: Literal["none", "key", "optional key", "sigv4", "google"]
    url: str
    paths: Mapping[str, str]
    key_variable: str | None = None
    one_model: bool = False
    model_prefix: str = ""
    renamed: Mapping[str, str] = _NOTHING
    implied: Mapping[str, str | bool] = field(factory=dict[str, str | bool])
    refused: Mapping[str, str] = _NOTHING
    fetches_urls: bool = True
    max_request_bytes: int | None = None
    answers: Mapping[str, str] = _NOTHING
    statuses: Mapping[str, int] = field(factory=dict[str, int])
    request_id: str | None = None
    headers: Mapping[str, str] = _NOTHING
    health: str | None = None


DEPLOYMENTS: Mapping[str, DeploymentKind] = MappingProxyType(
    {
        "sagemaker": DeploymentKind(
            name="sagemaker",
            title="Amazon SageMaker",
            about="A model package of the AWS Marketplace, on your own endpoint.",
            authentication="sigv4",
            url="https://runtime.sagemaker.{region}.amazonaws.com/endpoints/{endpoint}",
            paths={
                "embeddings": "/invocations",
                "contextualizedembeddings": "/invocations",
                "multimodalembeddings": "/invocations",
                "rerank": "/invocations",
            },
            one_model=True,
            implied={"encoding_format": "base64", "truncation": True},
            fetches_urls=False,
            max_request_bytes=6291456,
            statuses={
                "ModelNotReadyException": 503,
                "InternalDependencyException": 503,
                "IncompleteSignature": 401,
                "InvalidSignatureException": 401,
                "MissingAuthenticationTokenException": 401,
                "UnrecognizedClientException": 401,
                "ExpiredTokenException": 401,
            },
            request_id="x-amzn-requestid",
        ),
        "azure": DeploymentKind(
            name="azure",
            title="an Azure managed application",
            about="An application of the Azure Marketplace, in your own virtual network.",
            authentication="none",
            url="http://{address}",
            paths={
                "embeddings": "/embeddings",
                "contextualizedembeddings": "/contextualizedembeddings",
                "multimodalembeddings": "/multimodalembeddings",
                "rerank": "/rerank",
            },
            one_model=True,
            implied={"encoding_format": "base64", "truncation": True},
            health="/info",
        ),
        "vertex": DeploymentKind(
            name="vertex",
            title="Google Vertex AI",
            about="A model of Google's Model Garden, on your own dedicated endpoint.",
            authentication="google",
            url="https://{dns}/v1/projects/{project}/locations/{location}/endpoints/{endpoint}",
            paths={
                "embeddings": "/invoke/embeddings",
                "contextualizedembeddings": "/invoke/contextualizedembeddings",
                "multimodalembeddings": "/invoke/multimodalembeddings",
                "rerank": "/invoke/rerank",
            },
            one_model=True,
            implied={"encoding_format": "base64", "truncation": True},
            max_request_bytes=1500000,
        ),
        "voyage": DeploymentKind(
            name="voyage",
            title="a gateway that forwards requests unchanged",
            about="Any gateway that forwards paths and bodies unchanged.",
            authentication="key",
            url="https://{gateway}",
            paths={
                "embeddings": "/embeddings",
                "contextualizedembeddings": "/contextualizedembeddings",
                "multimodalembeddings": "/multimodalembeddings",
                "rerank": "/rerank",
                "files": "/files",
                "batches": "/batches",
            },
        ),
        "cloudflare": DeploymentKind(
            name="cloudflare",
            title="Cloudflare AI Gateway",
            about="A custom provider, which must be created in the gateway first, with the API's base URL.",
            authentication="optional key",
            key_variable="VOYAGE_API_KEY",
            url="https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/custom-{provider}",
            paths={
                "embeddings": "/embeddings",
                "contextualizedembeddings": "/contextualizedembeddings",
                "multimodalembeddings": "/multimodalembeddings",
                "rerank": "/rerank",
                "files": "/files",
                "batches": "/batches",
            },
            headers={
                "cf-aig-authorization": 'The gateway\'s own token, as "Bearer ...", if it requires one.'
            },
        ),
        "portkey": DeploymentKind(
            name="portkey",
            title="Portkey",
            about="Portkey's gateway, which rewrites requests to /embeddings and forwards other requests unchanged.",
            authentication="optional key",
            key_variable="VOYAGE_API_KEY",
            url="https://api.portkey.ai/v1",
            paths={
                "embeddings": "/embeddings",
                "contextualizedembeddings": "/contextualizedembeddings",
                "multimodalembeddings": "/multimodalembeddings",
                "rerank": "/rerank",
            },
            headers={
                "x-portkey-api-key": "The gateway's own key.",
                "x-portkey-provider": "`voyage`, with the key of the Voyage API as the client's key; omitted if the model's name is `@PROVIDER/MODEL`.",
            },
            implied={"output_dtype": "float"},
            refused={
                "embeddings.output_dimension": "the gateway does not forward it, so vectors would have the default dimension",
                "embeddings.output_dtype": "the gateway does not forward it, so vectors would be floats",
            },
        ),
        "openai": DeploymentKind(
            name="openai",
            title="an OpenAI-compatible gateway",
            about="Any gateway with OpenAI's API for embeddings.",
            authentication="optional key",
            url="https://{gateway}",
            paths={"embeddings": "/embeddings"},
            renamed={"output_dimension": "dimensions"},
            implied={"truncation": True, "output_dtype": "float"},
            refused={
                "input_type": "OpenAI's API has no such field",
                "truncation": "OpenAI's API has no such field",
                "output_dtype": "OpenAI's API has no such field",
            },
        ),
        "openrouter": DeploymentKind(
            name="openrouter",
            title="OpenRouter",
            about="OpenRouter's gateway.",
            authentication="key",
            key_variable="OPENROUTER_API_KEY",
            url="https://openrouter.ai/api/v1",
            paths={"embeddings": "/embeddings", "rerank": "/rerank"},
            model_prefix="voyageai/",
            renamed={"output_dimension": "dimensions", "top_k": "top_n"},
            answers={"results": "data"},
            implied={"truncation": True, "output_dtype": "float", "return_documents": False},
            refused={
                "truncation": "the gateway documents no such field",
                "output_dtype": "the gateway documents no such field",
                "return_documents": "the gateway documents no such field",
            },
        ),
        "vercel": DeploymentKind(
            name="vercel",
            title="Vercel AI Gateway",
            about="Vercel's gateway.",
            authentication="key",
            key_variable="AI_GATEWAY_API_KEY",
            url="https://ai-gateway.vercel.sh/v1",
            paths={"embeddings": "/embeddings"},
            model_prefix="voyage/",
            renamed={
                "output_dimension": "dimensions",
                "input_type": "providerOptions.voyage.inputType",
                "truncation": "providerOptions.voyage.truncation",
            },
            implied={"encoding_format": "base64", "output_dtype": "float"},
            refused={"output_dtype": "the gateway documents only responses with floats"},
        ),
        "litellm": DeploymentKind(
            name="litellm",
            title="LiteLLM",
            about="LiteLLM's proxy; its configuration defines the names of the models.",
            authentication="optional key",
            url="http://{host}/v1",
            paths={"embeddings": "/embeddings", "rerank": "/rerank"},
            renamed={"output_dimension": "dimensions", "top_k": "top_n"},
            answers={"results": "data"},
        ),
    }
)
"""The kinds of deployments, by name."""
