"""Conversion of arguments into a `Call`: a request, and a function that reads its response. No I/O.

The generated operations spell paths, keys and shapes; they are imported with the first call.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from attrs import evolve, field, fields_dict, frozen
from voyageai_rest.errors import REQUEST_ID, StatusError
from voyageai_rest.status import status_error
from voyageai_rest.types import UNSET, DecodedResponse, RawResponse, Request

from ._utils import stacklevel
from .argument_checks import (
    catalogue_entry,
    check_flag,
    check_model,
    check_number,
    check_output,
    check_text,
    check_texts,
    check_value,
    constraint,
)
from .inputs.contextualized import ChunkFunction, check_chunking, check_documents
from .options import CALL_OPTION_NAMES, unexpected
from .prompts import guard
from .ratelimit.tokens import estimate_rerank_tokens, estimate_tokens
from .response_limits import ResponseLimits, response_limits_for_scores, response_limits_for_vectors
from .results import (
    ContextualizedEmbeddingsObject,
    EmbeddingsObject,
    MultimodalEmbeddingsObject,
    RerankingObject,
    Result,
)
from .vectors import cut_out

if TYPE_CHECKING:
    from voyageai_rest.deployments import DeploymentKind
    from voyageai_rest.types import Model

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound=Result)
M = TypeVar("M", bound="Model")

Fields = Mapping[str, Any]
"""Optional fields of a request by name; None is not sent."""
LARGE = 1 << 16
"""Bytes of a response from which its vectors are cut out before it is parsed."""
LOCAL = ("input_type", "truncation", "output_dtype", "output_dimension")
"""Fields of `embed` that local models take."""


@frozen
class Call(Generic[T_co]):
    """A request, and how to send it and read its response.

    Attributes:
        request: The generated request.
        read: Function from response to result; raises `voyageai_rest.errors.ResponseError` or
            `ShapeError`.
        model: Name of the model, whose rate limit applies; empty without a model.
        tokens: Function that estimates the tokens; called only where there is a rate limit.
        repeatable: True if the request may be sent again when it may have been carried out.
        doubt: Text for the error of a request that may have been carried out and is not sent again.
        streamed: True to leave the body of a success to be read piece by piece; `read` gets a
            `transport.streams.Stream` then.
        bounded: True if the call's deadline also holds for a streamed body.
        method: Name of the method of the client or resource.
        on_sent: Called after each piece of an uploaded file.
        bounds: Limits of a correct response.
        refusal: Function from an error response to its exception.
        confidential: True if the response holds a secret, which no log and no error may show.
        facts: Attributes of the span, never texts, by the names of `telemetry.names.CALL_FACTS`.
        max_bytes: Most bytes of the request's body; None for no limit.
        amend: Function that changes the head of a deployment's response to that of the API.
    """

    request: Request
    read: Callable[[RawResponse], T_co]
    model: str = ""
    tokens: Callable[[], int] = int
    repeatable: bool = True
    doubt: str = "it is not sent again, as it may have been carried out"
    streamed: bool = False
    bounded: bool = False
    method: str = ""
    on_sent: Callable[[], object] | None = None
    bounds: ResponseLimits = field(factory=ResponseLimits)
    refusal: Callable[[RawResponse], StatusError] = status_error
    confidential: bool = False
    facts: Mapping[str, Any] = field(factory=dict[str, Any])
    max_bytes: int | None = None
    amend: Callable[[Any], None] | None = None


def for_deployment(
    kind: DeploymentKind, call: Call[T], mistaken: set[tuple[str, str]] | None = None
) -> Call[T]:
    """Return a call translated for a deployment.

    Args:
        kind: The kind of the deployment.
        call: The call for the API.
        mistaken: Pairs of requested and answering model that a warning was already given for.

    Raises:
        ArgumentError: The deployment does not support the operation or an argument.
    """
    from .deployments import translation

    def read(response: RawResponse) -> T:
        answer = translation.answer_of(kind, response)
        other = translation.other_model(kind, answer, call.model)
        if mistaken is not None and other is not None and (call.model, other) not in mistaken:
            mistaken.add((call.model, other))
            warnings.warn(
                f"{call.model} was requested, but {other} answered, the only model of "
                f"{kind.title} there; its results are those of {other}: pass model={other!r}, or "
                "use another URL",
                UserWarning,
                stacklevel=stacklevel(),
            )
        return call.read(answer)

    def refusal(response: RawResponse) -> StatusError:
        return call.refusal(translation.refusal_of(response))

    return evolve(
        call,
        request=translation.request_for(kind, call.request, call.method),
        read=read if call.model else call.read,  # files and jobs are the same as at the API
        refusal=refusal,
        max_bytes=kind.max_request_bytes,
        amend=partial(translation.amend, kind),
    )


def embed(texts: str | Sequence[str], model: str, fields: Fields) -> Call[EmbeddingsObject]:
    """Return the call of `Client.embed`."""
    from voyageai_rest.api.embeddings import create_embeddings
    from voyageai_rest.models.embeddings_request import EmbeddingsRequest

    value = text_or_texts(texts, "texts")
    listed = [value] if isinstance(value, str) else value
    body = EmbeddingsRequest(input=value, model=model, encoding_format="base64")
    fill(body, "embed", fields)
    guard(listed, fields.get("input_type"), model)
    dtype, dimension = fields.get("output_dtype"), fields.get("output_dimension")
    bounds = response_limits_for_vectors(model, dimension, len(listed), listed)

    def read(response: RawResponse) -> EmbeddingsObject:
        parsed = _parse(response, create_embeddings.parse_response)
        result = EmbeddingsObject(parsed, dtype=dtype, dimension=dimension, expected=len(listed))
        return _checked(result, response, bounds)

    request = create_embeddings.build_request(body=body)
    tokens = partial(estimate_tokens, listed)
    facts = _facts(len(listed), fields)
    return Call(request, read, model, tokens, method="embed", bounds=bounds, facts=facts)


def contextualized_embed(
    inputs: Sequence[Sequence[str]] | Sequence[str],
    model: str,
    chunk_fn: ChunkFunction | None,
    fields: Fields,
) -> Call[ContextualizedEmbeddingsObject]:
    """Return the call of `Client.contextualized_embed`."""
    from voyageai_rest.api.embeddings import create_contextualized_embeddings
    from voyageai_rest.models.contextualized_embeddings_request import (
        ContextualizedEmbeddingsRequest,
    )

    fields = check_chunking(chunk_fn, fields)
    automatic = bool(fields["enable_auto_chunking"])
    documents = check_documents(inputs, fields.get("input_type"), chunk_fn, automatic)
    body = ContextualizedEmbeddingsRequest(inputs=documents, model=model, encoding_format="base64")
    fill(body, "contextualized_embed", fields)
    guard((chunks[0] for chunks in documents), fields.get("input_type"), model)
    dtype, dimension = fields.get("output_dtype"), fields.get("output_dimension")
    counts = len(documents) if automatic else [len(chunks) for chunks in documents]
    chunks = list(chain.from_iterable(documents))
    # When the server splits documents, each chunk has at least one character of its own.
    rows = sum(map(len, chunks)) if automatic else len(chunks)
    entry = catalogue_entry(model)
    if entry and entry.max_request_chunks:
        rows = min(rows, entry.max_request_chunks)
    bounds = response_limits_for_vectors(
        model, dimension, rows, chunks, echoed=1 + (body.chunk_overlap or 0)
    )

    def read(response: RawResponse) -> ContextualizedEmbeddingsObject:
        parsed = _parse(response, create_contextualized_embeddings.parse_response, nested=True)
        texts = documents if chunk_fn is not None else None
        result = ContextualizedEmbeddingsObject(
            parsed, texts, dtype=dtype, dimension=dimension, expected=counts
        )
        return _checked(result, response, bounds)

    request = create_contextualized_embeddings.build_request(body=body)
    tokens = partial(estimate_tokens, chunks)
    return Call(
        *(request, read, model, tokens),
        method="contextualized_embed",
        bounds=bounds,
        facts=_facts(len(documents), fields),
    )


def multimodal_embed(
    inputs: Sequence[Any], model: str, fields: Fields
) -> Call[MultimodalEmbeddingsObject]:
    """Return the call of `Client.multimodal_embed`."""
    from voyageai_rest.api.embeddings import create_multimodal_embeddings
    from voyageai_rest.models.multimodal_embeddings_request import MultimodalEmbeddingsRequest

    from .inputs.multimodal import check_inputs, estimate_inputs, texts_of
    from .media import prepare

    body = MultimodalEmbeddingsRequest(inputs=[], model=model, encoding_format="base64")
    fill(body, "multimodal_embed", fields)  # first, as encoding images takes long
    body.inputs = checked = check_inputs(prepare(inputs, model))
    guard(texts_of(checked), fields.get("input_type"), model)
    dtype, dimension = fields.get("output_dtype"), fields.get("output_dimension")
    bounds = response_limits_for_vectors(
        model, dimension, len(checked), texts_of(checked), media=True
    )

    def read(response: RawResponse) -> MultimodalEmbeddingsObject:
        parsed = _parse(response, create_multimodal_embeddings.parse_response)
        result = MultimodalEmbeddingsObject(
            parsed, dtype=dtype, dimension=dimension, expected=len(checked)
        )
        return _checked(result, response, bounds)

    request = create_multimodal_embeddings.build_request(body=body)
    tokens = partial(estimate_inputs, checked, model)
    facts = _facts(len(checked), fields)
    return Call(request, read, model, tokens, method="multimodal_embed", bounds=bounds, facts=facts)


def rerank(
    query: str, documents: Sequence[str], model: str, fields: Fields
) -> Call[RerankingObject]:
    """Return the call of `Client.rerank`."""
    from voyageai_rest.api.reranking import rerank as operation
    from voyageai_rest.models.rerank_request import RerankRequest

    check_text(query, "query", constraint("RerankRequest", "query"))
    texts = check_texts(documents, "documents", constraint("RerankRequest", "documents"))
    body = fill(RerankRequest(query=query, documents=texts, model=model), "rerank", fields)
    # The meaning of a top_k below 1 is not documented.
    top_k = fields.get("top_k")
    expected = None if top_k is not None and top_k < 1 else min(top_k or len(texts), len(texts))
    bounds = response_limits_for_scores(query, texts)

    def read(response: RawResponse) -> RerankingObject:
        result = RerankingObject(texts, operation.parse_response(response), expected=expected)
        return _checked(result, response, bounds)

    request = operation.build_request(body=body)
    tokens = partial(estimate_rerank_tokens, query, texts)
    facts = {"candidates": len(texts), "top_k": top_k}
    return Call(request, read, model, tokens, method="rerank", bounds=bounds, facts=facts)


def _facts(inputs: int, fields: Fields) -> dict[str, Any]:
    """Return the span attributes of a call that embeds a number of inputs."""
    return {
        "inputs": inputs,
        "input_type": fields.get("input_type"),
        "output_dtype": fields.get("output_dtype"),
        "encoding_formats": ("base64",),
    }


def text_or_texts(value: object, argument: str) -> str | list[str]:
    """Return the input of `/embeddings`: a text or a list of texts.

    Args:
        value: A string, or a sequence of strings.
        argument: Name of the argument, for errors.

    Raises:
        ArgumentError: `value` is neither, is empty, or has too many texts for a request.
    """
    bounds = constraint("EmbeddingsRequest", "input")
    if isinstance(value, str):
        return check_text(value, argument, bounds)
    return check_texts(value, argument, bounds)


def fill(body: M, function: str, given: Fields, others: Iterable[str] = CALL_OPTION_NAMES) -> M:
    """Check optional fields against the contract and the catalogue, and set them in a request.

    A new field of the contract needs no change here.

    Args:
        body: The request, with the fields that the client sets itself.
        function: Name of the method that was called, for errors.
        given: The optional fields, by name.
        others: Names of the method's other arguments, for errors.

    Returns:
        `body`.

    Raises:
        TypeError: A field is unknown, or one that the client sets itself.
        ArgumentError: The contract or the model does not allow a value.
    """
    for name in given:
        if getattr(body, name, None) is not UNSET:
            own = [each for each in fields_dict(type(body)) if getattr(body, each) is UNSET]  # type: ignore[arg-type]  # every model is an attrs class
            raise unexpected(function, name, [*own, *others])
    model = check_model(getattr(body, "model", None))
    check_output(model, given.get("output_dimension"), given.get("output_dtype"))
    kind = type(body)
    for name, value in given.items():
        if value is None:
            continue
        types = kind.__annotations__[name].split(
            " | "
        )  # strings, as the generated models postpone annotations
        if "bool" in types:
            check_flag(name, value)
        elif "int" in types:
            check_number(kind.__name__, name, value)
        else:
            check_value(kind.__name__, name, value)
        setattr(body, name, value)
    return body


def for_local(given: Fields) -> dict[str, Any]:
    """Return the fields of `embed` in the form that `local.helpers.embed_local` takes.

    Raises:
        TypeError: A field is not supported by local models.
    """
    for name in given.keys() - set(LOCAL):
        raise unexpected("embed", name, [*LOCAL, *CALL_OPTION_NAMES])
    return {**given, "truncation": given.get("truncation") is not False}


def default_model() -> str:
    """Return the official client's default model, after its warning."""
    import voyageai

    warnings.warn(
        "The `model` argument is not specified and defaults to "
        f"{voyageai.VOYAGE_EMBED_DEFAULT_MODEL}. "
        "It will be required in the future; current models are better and cost less. "
        "Please see https://docs.voyageai.com/docs/embeddings for a list.",
        UserWarning,
        stacklevel=stacklevel(),
    )
    return voyageai.VOYAGE_EMBED_DEFAULT_MODEL


def _parse(response: RawResponse, parse: Callable[[RawResponse], T], *, nested: bool = False) -> T:
    """Parse a response with vectors; vectors of large ones are not scanned as JSON.

    Args:
        response: The response.
        parse: The generated parser.
        nested: True if `data` has one list of vectors per document.
    """
    if isinstance(response, DecodedResponse) or len(response.content) < LARGE:
        return parse(response)
    rest, vectors = cut_out(response.content)
    if not vectors:
        return parse(response)
    try:
        value = json.loads(rest)
    except (ValueError, RecursionError):
        return parse(response)  # raises with the position of the error
    parsed: Any = parse(
        DecodedResponse(
            status_code=response.status_code,
            headers=response.headers,
            content=response.content,
            value=value,
        )
    )
    lists = (document.data for document in parsed.data) if nested else (parsed.data,)
    for entry in chain.from_iterable(lists):
        if isinstance(entry.embedding, str):
            # Each placeholder is used once: an equal text elsewhere is no vector.
            entry.embedding = vectors.pop(entry.embedding, entry.embedding)
    return cast("T", parsed)


def _checked(result: R, response: RawResponse, bounds: ResponseLimits) -> R:
    """Check the token count of a result, and set its request id."""
    bounds.check_tokens(result.total_tokens)
    result.request_id = response.headers.get(REQUEST_ID)
    return result
