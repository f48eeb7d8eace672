"""The models of the API, as typed data: limits, prices, dimensions, prompts, lifecycle.

`spec/catalogue.yaml` defines the terms and gives the source of each value. None means that a
value does not apply or that no source states it.

    >>> find("voyage-4").dimensions.default
    1024
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

EmbeddingsModel: TypeAlias = Literal[
    "voyage-4-large",
    "voyage-4",
    "voyage-4-lite",
    "voyage-code-4",
    "voyage-3-large",
    "voyage-3.5",
    "voyage-3.5-lite",
    "voyage-code-3",
    "voyage-code-2",
    "voyage-finance-2",
    "voyage-law-2",
    "voyage-3",
    "voyage-3-lite",
    "voyage-multilingual-2",
    "voyage-large-2-instruct",
    "voyage-large-2",
    "voyage-2",
    "voyage-02",
    "voyage-01",
    "voyage-lite-01",
    "voyage-lite-01-instruct",
    "voyage-lite-02-instruct",
]
ContextualizedEmbeddingsModel: TypeAlias = Literal["voyage-context-4", "voyage-context-3"]
MultimodalEmbeddingsModel: TypeAlias = Literal["voyage-multimodal-3.5", "voyage-multimodal-3"]
RerankModel: TypeAlias = Literal[
    "rerank-3",
    "rerank-3-lite",
    "rerank-2.5",
    "rerank-2.5-lite",
    "rerank-2",
    "rerank-2-lite",
    "rerank-1",
    "rerank-lite-1",
]


class UnknownModelError(LookupError):
    """The catalogue has no model of this name. The model may be newer than this release.

    Attributes:
        name: The requested name.
        similar: Similar names in the catalogue, the most similar first.
    """

    def __init__(self, name: str, similar: tuple[str, ...] = ()) -> None:
        super().__init__(name, similar)
        self.name = name
        self.similar = similar

    def __str__(self) -> str:
        hint = f"; did you mean {' or '.join(self.similar)}?" if self.similar else ""
        return f"no model named {self.name!r} is in the catalogue{hint}"


@frozen(kw_only=True)
class Prompts:
    """Text that the server prepends to an input, by its input_type.

    Attributes:
        query: Text prepended to inputs of input_type query. It ends with a space.
        document: Text prepended to inputs of input_type document. It ends with a space.
    """

    query: str
    document: str


@frozen(kw_only=True)
class TiersFree:
    """Until a payment method is added.

    Attributes:
        rpm: Requests per minute, the same for all models.
        tpm: Tokens per minute, the same for all models.
    """

    rpm: int
    tpm: int


@frozen(kw_only=True)
class Tier:
    """A usage tier with a payment method.

    Attributes:
        factor: Factor by which a model's tpm and rpm are multiplied.
        paid_at_least_usd: Total payments, in US dollars, that reach the tier.
    """

    factor: float
    paid_at_least_usd: float


@frozen(kw_only=True)
class Tiers:
    """Usage tiers, by the payments so far. An account keeps each tier it reaches.

    Attributes:
        free: Until a payment method is added.
        tier_1: With a payment method; the tpm and rpm of each model apply.
        tier_2: The second tier.
        tier_3: The third and highest tier.
    """

    free: TiersFree
    tier_1: Tier
    tier_2: Tier
    tier_3: Tier


@frozen(kw_only=True)
class Geography:
    """The hosts that are bound to a geography.

    Attributes:
        price_factor: Factor by which list prices are multiplied.
        lowest_tier: Lowest usage tier in which keys for these hosts can be created.
        highest_automatic_tier: Highest usage tier that is reached without a request to the
            vendor.
    """

    price_factor: float
    lowest_tier: Literal["free", "tier_1", "tier_2", "tier_3"]
    highest_automatic_tier: Literal["free", "tier_1", "tier_2", "tier_3"]


@frozen(kw_only=True)
class NoticePeriods:
    """Notice periods, in months.

    Attributes:
        legacy_to_deprecated: Notice before a legacy model becomes deprecated.
        deprecated_to_retired: Notice before a deprecated model is retired, that is, no
            longer served.
    """

    legacy_to_deprecated: int
    deprecated_to_retired: int


@frozen(kw_only=True)
class Notice:
    """Minimum time between the announcement of a lifecycle change and the change.

    Attributes:
        platforms: Hosts that it applies to. Only these stop serving a retired model.
        embeddings: Periods for embedding models.
        rerankers: Periods for rerankers.
    """

    platforms: tuple[Literal["voyage", "atlas", "geography"], ...]
    embeddings: NoticePeriods
    rerankers: NoticePeriods


@frozen(kw_only=True)
class ServiceLevel:
    """The vendor's service level objectives, without a guarantee.

    Attributes:
        platforms: Hosts that it applies to.
        monthly_uptime: Minimum fraction of a month in which the host is available.
        status_page: URL of the page that announces outages.
    """

    platforms: tuple[Literal["voyage", "atlas", "geography"], ...]
    monthly_uptime: float
    status_page: str


@frozen(kw_only=True)
class TrainingUse:
    """How an organization can exclude its requests from training.

    Attributes:
        opt_out: Whether an organization can opt out.
        opt_out_needs_payment: Whether opting out requires a payment method.
        opt_out_ends_retention: Whether nothing is stored after opting out.
    """

    opt_out: bool
    opt_out_needs_payment: bool | None
    opt_out_ends_retention: bool | None


@frozen(kw_only=True)
class Training:
    """Use of requests to train models, by the vendor of the key.

    Attributes:
        voyage: For keys of Voyage AI.
        atlas: For keys of Atlas.
    """

    voyage: TrainingUse
    atlas: TrainingUse


@frozen(kw_only=True)
class Batch:
    """Limits and prices of batch jobs and of the files they need.

    Attributes:
        discount: Discount, as a fraction of the list price.
        endpoints: Endpoints whose requests a job can contain.
        max_inputs: Inputs per job.
        max_jobs_in_flight: Jobs at the same time, per organization.
        max_tokens_in_flight: Tokens of all jobs at the same time, per organization.
        completion_window: Time after which a job expires if it is not completed, as sent in
            requests.
        backoff_minutes: Minutes to wait when too many jobs or tokens are in flight.
        file_retention_days: Days that a file is kept.
        storage_usd_per_gb_month: Price of storage, in US dollars per gigabyte and month.
    """

    discount: float
    endpoints: tuple[
        Literal["embeddings", "contextualizedembeddings", "multimodalembeddings", "rerank"], ...
    ]
    max_inputs: int
    max_jobs_in_flight: int
    max_tokens_in_flight: int
    completion_window: str
    backoff_minutes: int
    file_retention_days: int
    storage_usd_per_gb_month: float


@frozen(kw_only=True)
class Tokenization:
    """Rules of thumb to estimate tokens without a tokenizer; for prose only.

    Attributes:
        characters_per_token: Average number of characters per token.
        tokens_per_word: Tokens per word: the lower and the upper end of a range.
        note: Other remarks.
    """

    characters_per_token: float
    tokens_per_word: tuple[float, ...]
    note: str | None = None


@frozen(kw_only=True)
class StoredVectors:
    """How vectors of a dtype are stored and compared.

    Attributes:
        vector_dtype: Type of the vectors in BSON.
        similarity: Similarity functions, the most suitable first.
        quantization: Quantizations that an index supports for them.
    """

    vector_dtype: Literal["FLOAT32", "INT8", "PACKED_BIT"]
    similarity: tuple[Literal["cosine", "dotProduct", "euclidean"], ...]
    quantization: tuple[Literal["none", "scalar", "binary"], ...]


@frozen(kw_only=True)
class VectorSearchDtypes:
    """How vectors are stored and compared, by dtype; None for dtypes that can't be stored.

    Attributes:
        float: How `float` vectors are stored.
        int8: How `int8` vectors are stored.
        uint8: How `uint8` vectors are stored.
        binary: How `binary` vectors are stored.
        ubinary: How `ubinary` vectors are stored.
    """

    float: StoredVectors | None = None
    int8: StoredVectors | None = None
    uint8: StoredVectors | None = None
    binary: StoredVectors | None = None
    ubinary: StoredVectors | None = None


@frozen(kw_only=True)
class VectorSearch:
    """What MongoDB Vector Search indexes.

    Attributes:
        max_dimensions: Maximum dimension of an indexed vector.
        dtypes: How vectors are stored and compared, by dtype; None for dtypes that can't be
            stored.
        auto_embed_quantization: Quantizations of an index for vectors that MongoDB creates
            itself; the first is the default.
    """

    max_dimensions: int
    dtypes: VectorSearchDtypes
    auto_embed_quantization: tuple[Literal["scalar", "float", "binary", "binaryNoRescore"], ...]


@frozen(kw_only=True)
class ModelDimensions:
    """Dimensions of the vectors.

    Attributes:
        default: Dimension if the request does not set one.
        allowed: Dimensions that a request can set, in ascending order.
    """

    default: int
    allowed: tuple[int, ...]


@frozen(kw_only=True)
class ModelPrice:
    """List prices.

    Attributes:
        usd_per_million_tokens: US dollars per million tokens.
        usd_per_billion_pixels: US dollars per billion pixels.
    """

    usd_per_million_tokens: float | None
    usd_per_billion_pixels: float | None = None


@frozen(kw_only=True)
class ModelFree:
    """Free usage, once per account.

    Attributes:
        tokens: Tokens.
        pixels: Pixels.
    """

    tokens: int | None
    pixels: int | None = None


@frozen(kw_only=True)
class ModelPixels:
    """Pixels that count as a token, and the sizes that images and frames are scaled to.

    Attributes:
        image_per_token: Pixels of an image that count as one token.
        image_min: Minimum number of pixels of an image; smaller images are scaled up.
        image_max: Maximum number of pixels of an image; larger images are scaled down.
        video_per_token: Pixels of a video's frames that count as one token.
        video_min: Minimum number of pixels of a video's frame.
        video_max: Maximum number of pixels of a video's frame.
    """

    image_per_token: int | None
    image_min: int | None
    image_max: int | None
    video_per_token: int | None = None
    video_min: int | None = None
    video_max: int | None = None


@frozen(kw_only=True)
class ModelMedia:
    """Maximum size of a single file.

    Attributes:
        image_max_pixels: Maximum number of pixels of an image.
        image_max_bytes: Maximum number of bytes of an image.
        video_max_bytes: Maximum number of bytes of a video.
    """

    image_max_pixels: int | None
    image_max_bytes: int | None
    video_max_bytes: int | None = None


@frozen(kw_only=True)
class Model:
    """A model: its endpoint and hosts, inputs and outputs, limits and prices.

    Attributes:
        name: The model's name, as sent in requests.
        endpoint: Last path segment of the operation that accepts the model; not set for
            open weights that no host serves.
        lifecycle: Lifecycle state: `active` for the current model of a family, `legacy` or
            `older` for a superseded one, `deprecated` for one that is being phased out.
        platforms: Hosts that serve the model: `voyage` is the Voyage AI host, `atlas` the
            MongoDB Atlas host, `geography` the Atlas hosts that are bound to a geography.
        released: Date of the announcement or of first availability, as YYYY-MM-DD.
        modalities: Kinds of input.
        context_length: Tokens of one text, of one document's chunks, of one multimodal
            input, or of a query with one document.
        tokenizer: Hugging Face repository of the tokenizer.
        replacement: Name of the model to use instead.
        auto_chunking_context_length: Tokens of one document that the server splits into
            chunks.
        dimensions: Dimensions of the vectors.
        dtypes: Types of the vectors' numbers.
        max_request_tokens: Tokens of all inputs of a request. For rerankers, the query
            counts once per document.
        max_request_chunks: Chunks of all documents of a request.
        max_query_tokens: Tokens of a reranker's query.
        tpm: Tokens per minute in the first usage tier.
        rpm: Requests per minute in the first usage tier.
        price: List prices.
        free: Free usage, once per account.
        start_token: Whether the tokenizer prepends a token to each text.
        embedding_space: Vectors of models with the same value can be compared.
        batch: Whether batch jobs accept the model.
        auto_embed: Whether MongoDB can embed fields of documents with the model.
        prompts: Name of the set of prompts that input_type selects from; rerankers have
            none.
        pixels: Pixels that count as a token, and the sizes that images and frames are
            scaled to.
        media: Maximum size of a single file.
        note: Other remarks, such as disagreements between sources.
    """

    name: str
    endpoint: (
        Literal["embeddings", "contextualizedembeddings", "multimodalembeddings", "rerank"] | None
    )
    lifecycle: Literal[
        "preview", "active", "legacy", "deprecated", "retired", "older", "open-weights"
    ]
    platforms: tuple[Literal["voyage", "atlas", "geography"], ...]
    released: str | None
    modalities: tuple[Literal["text", "image", "video"], ...]
    context_length: int | None
    tokenizer: str | None
    replacement: str | None = None
    auto_chunking_context_length: int | None = None
    dimensions: ModelDimensions | None = None
    dtypes: tuple[Literal["float", "int8", "uint8", "binary", "ubinary"], ...] | None = None
    max_request_tokens: int | None = None
    max_request_chunks: int | None = None
    max_query_tokens: int | None = None
    tpm: int | None = None
    rpm: int | None = None
    price: ModelPrice | None = None
    free: ModelFree | None = None
    start_token: bool | None = None
    embedding_space: str | None = None
    batch: bool | None = None
    auto_embed: bool | None = None
    prompts: str | None = None
    pixels: ModelPixels | None = None
    media: ModelMedia | None = None
    note: str | None = None


class Models(dict[str, Model]):
    """A read-only dict of models by name. Notebooks show it as a table."""

    if not TYPE_CHECKING:

        def _refuse(self, *_: object, **__: object) -> NoReturn:
            raise TypeError("the catalogue is read-only; copy it with dict() and change the copy")

        __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

        def __reduce__(self) -> tuple[type, tuple[dict[str, Model]]]:
            return Models, (dict(self),)

    def _repr_html_(self) -> str:
        from html import escape

        def cells(model: Model) -> tuple[object, ...]:
            price, sizes = model.price, model.dimensions
            dollars = None if price is None else price.usd_per_million_tokens
            return (
                model.name,
                model.endpoint,
                model.lifecycle,
                "" if dollars is None else f"${dollars:g}",
                "" if model.context_length is None else f"{model.context_length:,}",
                "" if sizes is None else ", ".join(map(str, sizes.allowed)),
            )

        names = "model", "endpoint", "standing", "per 1M tokens", "context", "dimensions"
        line = "white-space:nowrap;padding:3px 10px;border-bottom:1px solid rgba(128,128,128,.35);text-align:left"
        rows = "".join(
            "<tr style='background:none'>"
            + "".join(f"<td style='{line}'>{escape(str(cell or ''))}</td>" for cell in cells(model))
            + "</tr>"
            for model in self.values()
        )
        head = "".join(f"<th style='{line}'>{name}</th>" for name in names)
        return f"<table style='border-collapse:collapse'><tr>{head}</tr>{rows}</table>"


def find(name: str) -> Model:
    """Return a model of the catalogue.

    Args:
        name: Name of the model, such as `voyage-4`.

    Raises:
        UnknownModelError: The catalogue has no model of this name; the error lists similar names.
            Do not refuse a name for this reason: the API may have newer models than this release.
    """
    try:
        return MODELS[name]
    except (KeyError, TypeError):
        from difflib import get_close_matches

        raise UnknownModelError(name, tuple(get_close_matches(str(name), MODELS))) from None


PROMPTS: Mapping[str, Prompts] = MappingProxyType(
    {
        "retrieval": Prompts(
            query="Represent the query for retrieving supporting documents: ",
            document="Represent the document for retrieval: ",
        )
    }
)
"""Sets of prompts by name."""

TIERS: Tiers = Tiers(
    free=TiersFree(rpm=3, tpm=10000),
    tier_1=Tier(factor=1, paid_at_least_usd=0),
    tier_2=Tier(factor=2, paid_at_least_usd=100),
    tier_3=Tier(factor=3, paid_at_least_usd=1000),
)
"""Usage tiers, by the payments so far. An account keeps each tier it reaches."""

GEOGRAPHY: Geography = Geography(
    price_factor=1.1, lowest_tier="tier_1", highest_automatic_tier="tier_1"
)
"""The hosts that are bound to a geography."""

NOTICE: Notice = Notice(
    platforms=("atlas", "geography"),
    embeddings=NoticePeriods(legacy_to_deprecated=12, deprecated_to_retired=6),
    rerankers=NoticePeriods(legacy_to_deprecated=6, deprecated_to_retired=3),
)
"""Minimum time between the announcement of a lifecycle change and the change."""

SERVICE_LEVEL: ServiceLevel = ServiceLevel(
    platforms=("voyage",), monthly_uptime=0.995, status_page="https://voyageai-status.statuspage.io"
)
"""The vendor's service level objectives, without a guarantee."""

TRAINING: Training = Training(
    voyage=TrainingUse(opt_out=True, opt_out_needs_payment=True, opt_out_ends_retention=True),
    atlas=TrainingUse(opt_out=True, opt_out_needs_payment=None, opt_out_ends_retention=None),
)
"""Use of requests to train models, by the vendor of the key."""

BATCH: Batch = Batch(
    discount=0.33,
    endpoints=("embeddings", "contextualizedembeddings", "rerank"),
    max_inputs=100000,
    max_jobs_in_flight=100,
    max_tokens_in_flight=1000000000,
    completion_window="12h",
    backoff_minutes=30,
    file_retention_days=30,
    storage_usd_per_gb_month=0.05,
)
"""Limits and prices of batch jobs and of the files they need."""

TOKENIZATION: Tokenization = Tokenization(
    characters_per_token=5,
    tokens_per_word=(1.2, 1.5),
    note="For prose only. Third parties measured many more tokens per character on mixed content, and a MongoDB course says 4 characters.",
)
"""Rules of thumb to estimate tokens without a tokenizer; for prose only."""

VECTOR_SEARCH: VectorSearch = VectorSearch(
    max_dimensions=8192,
    dtypes=VectorSearchDtypes(
        float=StoredVectors(
            vector_dtype="FLOAT32",
            similarity=("dotProduct", "cosine", "euclidean"),
            quantization=("none", "scalar", "binary"),
        ),
        int8=StoredVectors(
            vector_dtype="INT8",
            similarity=("cosine", "euclidean", "dotProduct"),
            quantization=("none",),
        ),
        ubinary=StoredVectors(
            vector_dtype="PACKED_BIT", similarity=("euclidean",), quantization=("none",)
        ),
    ),
    auto_embed_quantization=("scalar", "float", "binary", "binaryNoRescore"),
)
"""What MongoDB Vector Search indexes."""

MODELS: Mapping[str, Model] = Models(
    {
        "voyage-4-large": Model(
            name="voyage-4-large",
            endpoint="embeddings",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-01-15",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=200000000),
            tokenizer="voyageai/voyage-4-large",
            embedding_space="voyage-4",
            batch=True,
            auto_embed=True,
            prompts="retrieval",
        ),
        "voyage-4": Model(
            name="voyage-4",
            endpoint="embeddings",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-01-15",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=320000,
            tpm=8000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.06),
            free=ModelFree(tokens=200000000),
            tokenizer="voyageai/voyage-4",
            embedding_space="voyage-4",
            batch=True,
            auto_embed=True,
            prompts="retrieval",
        ),
        "voyage-4-lite": Model(
            name="voyage-4-lite",
            endpoint="embeddings",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-01-15",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=1000000,
            tpm=16000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=200000000),
            tokenizer="voyageai/voyage-4-lite",
            embedding_space="voyage-4",
            batch=True,
            auto_embed=True,
            prompts="retrieval",
        ),
        "voyage-code-4": Model(
            name="voyage-code-4",
            endpoint="embeddings",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-08-13",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=320000,
            tpm=8000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=200000000),
            tokenizer=None,
            embedding_space="voyage-code-4",
            batch=None,
            auto_embed=True,
            prompts="retrieval",
            note="The lists of Batch models and of tokenizers that were read are older than this model, and in September 2026 the Voyage reference did not yet list its dimensions.",
        ),
        "voyage-3-large": Model(
            name="voyage-3-large",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-4-large",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.18),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-3-large",
            embedding_space="voyage-3-large",
            batch=True,
            prompts="retrieval",
        ),
        "voyage-3.5": Model(
            name="voyage-3.5",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-4",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=320000,
            tpm=8000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.06),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-3.5",
            embedding_space="voyage-3.5",
            batch=True,
            prompts="retrieval",
        ),
        "voyage-3.5-lite": Model(
            name="voyage-3.5-lite",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-4-lite",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=1000000,
            tpm=16000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-3.5-lite",
            embedding_space="voyage-3.5-lite",
            batch=True,
            prompts="retrieval",
        ),
        "voyage-code-3": Model(
            name="voyage-code-3",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-code-4",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.18),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-code-3",
            embedding_space="voyage-code-3",
            batch=True,
            auto_embed=True,
            prompts="retrieval",
            note="200M tokens were still free in July 2026.",
        ),
        "voyage-code-2": Model(
            name="voyage-code-2",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-code-4",
            modalities=("text",),
            context_length=16000,
            dimensions=ModelDimensions(default=1536, allowed=(1536,)),
            dtypes=("float",),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=50000000),
            tokenizer="voyageai/voyage-code-2",
            start_token=True,
            embedding_space="voyage-code-2",
            batch=True,
            prompts="retrieval",
            note="The request limit is from older pages; current pages no longer state it for this model.",
        ),
        "voyage-finance-2": Model(
            name="voyage-finance-2",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-4",
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=50000000),
            tokenizer=None,
            start_token=True,
            embedding_space="voyage-finance-2",
            batch=False,
            prompts="retrieval",
            note="Not in the list of Batch models, which is newer than this model.",
        ),
        "voyage-law-2": Model(
            name="voyage-law-2",
            endpoint="embeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-4",
            modalities=("text",),
            context_length=16000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=50000000),
            tokenizer=None,
            start_token=True,
            embedding_space="voyage-law-2",
            batch=False,
            prompts="retrieval",
            note="The replacement is voyage-4 in the table of the lifecycle page, and voyage-4-lite in its change log; the table is used. Reported to share Llama 2's tokenizer; its own repository was not seen. Not in the list of Batch models.",
        ),
        "voyage-3": Model(
            name="voyage-3",
            endpoint="embeddings",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=320000,
            tpm=8000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.06),
            free=ModelFree(tokens=0),
            tokenizer=None,
            embedding_space="voyage-3",
            batch=False,
            prompts="retrieval",
            note="langchain-voyageai allows 120000 tokens per request. The tokens per minute are from an older rate limit page. Not in the list of Batch models.",
        ),
        "voyage-3-lite": Model(
            name="voyage-3-lite",
            endpoint="embeddings",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=512, allowed=(512,)),
            dtypes=("float",),
            max_request_tokens=1000000,
            tpm=16000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-3-lite",
            embedding_space="voyage-3-lite",
            batch=False,
            prompts="retrieval",
            note="langchain-voyageai allows 120000 tokens per request. The tokens per minute are from an older rate limit page. Not in the list of Batch models.",
        ),
        "voyage-multilingual-2": Model(
            name="voyage-multilingual-2",
            endpoint="embeddings",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=None),
            tokenizer=None,
            embedding_space="voyage-multilingual-2",
            batch=False,
            prompts="retrieval",
            note="The Voyage pricing page says both 50M free tokens and none. Not in the list of Batch models.",
        ),
        "voyage-large-2-instruct": Model(
            name="voyage-large-2-instruct",
            endpoint="embeddings",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=16000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=0),
            tokenizer=None,
            start_token=True,
            embedding_space="voyage-large-2-instruct",
            batch=False,
            prompts=None,
            note="Has its own task instructions, published separately from the API. Whether input_type prepends the retrieval prompts is not stated. Reported to share Llama 2's tokenizer; its own repository was not seen. Not in the list of Batch models.",
        ),
        "voyage-large-2": Model(
            name="voyage-large-2",
            endpoint="embeddings",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=16000,
            dimensions=ModelDimensions(default=1536, allowed=(1536,)),
            dtypes=("float",),
            max_request_tokens=120000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=0),
            tokenizer=None,
            start_token=True,
            embedding_space="voyage-large-2",
            batch=False,
            prompts="retrieval",
            note="Reported to share Llama 2's tokenizer; its own repository was not seen. Not in the list of Batch models.",
        ),
        "voyage-2": Model(
            name="voyage-2",
            endpoint="embeddings",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=320000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.1),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-2",
            start_token=True,
            embedding_space="voyage-2",
            batch=False,
            prompts="retrieval",
            note="Not in the list of Batch models.",
        ),
        "voyage-02": Model(
            name="voyage-02",
            endpoint="embeddings",
            lifecycle="deprecated",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=None,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.1),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-02",
            start_token=True,
            embedding_space="voyage-02",
            batch=False,
            prompts=None,
            note="No page that names this model states its request limit or prompts. Not in the list of Batch models.",
        ),
        "voyage-01": Model(
            name="voyage-01",
            endpoint="embeddings",
            lifecycle="deprecated",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=None,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.1),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-01",
            start_token=True,
            embedding_space="voyage-01",
            batch=False,
            prompts=None,
            note="No page that names this model states its request limit or prompts. Not in the list of Batch models.",
        ),
        "voyage-lite-01": Model(
            name="voyage-lite-01",
            endpoint="embeddings",
            lifecycle="deprecated",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=None,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.1),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-lite-01",
            start_token=True,
            embedding_space="voyage-lite-01",
            batch=False,
            prompts=None,
            note="No page that names this model states its request limit or prompts. Not in the list of Batch models.",
        ),
        "voyage-lite-01-instruct": Model(
            name="voyage-lite-01-instruct",
            endpoint="embeddings",
            lifecycle="deprecated",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=None,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.1),
            free=ModelFree(tokens=0),
            tokenizer=None,
            start_token=True,
            embedding_space="voyage-lite-01-instruct",
            batch=False,
            prompts=None,
            note="No page that names this model states its request limit or prompts. Reported to share Llama 2's tokenizer; its own repository was not seen. Not in the list of Batch models.",
        ),
        "voyage-lite-02-instruct": Model(
            name="voyage-lite-02-instruct",
            endpoint="embeddings",
            lifecycle="deprecated",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=None,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.1),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/voyage-lite-02-instruct",
            start_token=True,
            embedding_space="voyage-lite-02-instruct",
            batch=False,
            prompts=None,
            note="No page that names this model states its request limit or prompts. Not in the list of Batch models.",
        ),
        "voyage-4-nano": Model(
            name="voyage-4-nano",
            endpoint=None,
            lifecycle="open-weights",
            platforms=(),
            released="2026-01-15",
            modalities=("text",),
            context_length=32768,
            dimensions=ModelDimensions(default=2048, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "binary", "ubinary"),
            tokenizer="voyageai/voyage-4-nano",
            embedding_space="voyage-4",
            prompts=None,
            note="Apache-2.0, free. The model card and the documentation round the context to 32000; both official clients, which run the model, use 32768. The Atlas table gives 512 as the default dimension, with 128 and 256; the model card, the Claude documentation and both clients agree on the values here. The dtypes are those of the Python client's local backend.",
        ),
        "voyage-context-4": Model(
            name="voyage-context-4",
            endpoint="contextualizedembeddings",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-06-29",
            modalities=("text",),
            context_length=32000,
            auto_chunking_context_length=120000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=120000,
            max_request_chunks=16000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12),
            free=ModelFree(tokens=200000000),
            tokenizer=None,
            embedding_space="voyage-context-4",
            batch=None,
            prompts="retrieval",
            note="The tables of Atlas and Claude give a context of 120000 with auto-chunking, and a total of 32K without; the Voyage reference and the live message give 32000 per list and 120000 per request. Atlas gives 30 June 2026 as its Active Date. The lists of Batch models and of tokenizers that were read are older than this model.",
        ),
        "voyage-context-3": Model(
            name="voyage-context-3",
            endpoint="contextualizedembeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released="2025-08-01",
            replacement="voyage-context-4",
            modalities=("text",),
            context_length=32000,
            auto_chunking_context_length=120000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=120000,
            max_request_chunks=16000,
            tpm=3000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.18),
            free=ModelFree(tokens=0),
            tokenizer=None,
            embedding_space="voyage-context-3",
            batch=True,
            prompts="retrieval",
            note="The tables of Atlas and Claude give a context of 120000 with auto-chunking, and a total of 32K without; the Voyage reference and the live message give 32000 per list and 120000 per request. 200M tokens were still free in July 2026.",
        ),
        "voyage-multimodal-3.5": Model(
            name="voyage-multimodal-3.5",
            endpoint="multimodalembeddings",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-01-15",
            modalities=("text", "image", "video"),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(256, 512, 1024, 2048)),
            dtypes=("float", "int8", "uint8", "binary", "ubinary"),
            max_request_tokens=320000,
            tpm=2000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12, usd_per_billion_pixels=0.6),
            free=ModelFree(tokens=200000000, pixels=150000000000),
            tokenizer="voyageai/voyage-multimodal-3.5",
            embedding_space="voyage-multimodal-3.5",
            batch=False,
            prompts="retrieval",
            pixels=ModelPixels(
                image_per_token=560,
                video_per_token=1120,
                image_min=50000,
                image_max=2000000,
                video_min=None,
                video_max=None,
            ),
            media=ModelMedia(
                image_max_pixels=16000000, image_max_bytes=20000000, video_max_bytes=20000000
            ),
            note="20 MB is read as 20000000 bytes. The Python client's live tests assert the dtypes (int8, ubinary), while the multimodal reference omits output_dtype. Each video frame is priced as an image, but the pixel limits of a frame are not stated. The Batch API does not support the endpoint. The server also names voyage-multimodal-3-5.",
        ),
        "voyage-multimodal-3": Model(
            name="voyage-multimodal-3",
            endpoint="multimodalembeddings",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="voyage-multimodal-3.5",
            modalities=("text", "image"),
            context_length=32000,
            dimensions=ModelDimensions(default=1024, allowed=(1024,)),
            dtypes=("float",),
            max_request_tokens=320000,
            tpm=2000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.12, usd_per_billion_pixels=0.6),
            free=ModelFree(tokens=0, pixels=0),
            tokenizer="voyageai/voyage-multimodal-3",
            embedding_space="voyage-multimodal-3",
            batch=False,
            prompts="retrieval",
            pixels=ModelPixels(image_per_token=560, image_min=50000, image_max=2000000),
            media=ModelMedia(image_max_pixels=16000000, image_max_bytes=20000000),
            note="20 MB is read as 20000000 bytes. The Batch API does not support the endpoint. The server also names voyage-multimodal-3-l4.",
        ),
        "rerank-3": Model(
            name="rerank-3",
            endpoint="rerank",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-09-01",
            modalities=("text",),
            context_length=32000,
            max_request_tokens=600000,
            max_query_tokens=8000,
            tpm=2000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.05),
            free=ModelFree(tokens=200000000),
            tokenizer=None,
            batch=None,
            note="Preview from 1 September 2026, Active from 29 September, announced on the blog on 30 September. The lists of Batch models and of tokenizers that were read are older than this model.",
        ),
        "rerank-3-lite": Model(
            name="rerank-3-lite",
            endpoint="rerank",
            lifecycle="active",
            platforms=("voyage", "atlas", "geography"),
            released="2026-09-01",
            modalities=("text",),
            context_length=32000,
            max_request_tokens=600000,
            max_query_tokens=8000,
            tpm=4000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=200000000),
            tokenizer=None,
            batch=None,
            note="Preview from 1 September 2026, Active from 29 September, announced on the blog on 30 September. The lists of Batch models and of tokenizers that were read are older than this model.",
        ),
        "rerank-2.5": Model(
            name="rerank-2.5",
            endpoint="rerank",
            lifecycle="legacy",
            platforms=("voyage", "atlas", "geography"),
            released="2025-08-11",
            replacement="rerank-3",
            modalities=("text",),
            context_length=32000,
            max_request_tokens=600000,
            max_query_tokens=8000,
            tpm=2000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.05),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/rerank-2.5",
            batch=True,
            note="In the lifecycle table of 29 September 2026, every Atlas endpoint serves this model; the change log of 1 September omits it. The table is used. 200M tokens were still free in July 2026.",
        ),
        "rerank-2.5-lite": Model(
            name="rerank-2.5-lite",
            endpoint="rerank",
            lifecycle="legacy",
            platforms=("voyage", "atlas", "geography"),
            released="2025-08-11",
            replacement="rerank-3-lite",
            modalities=("text",),
            context_length=32000,
            max_request_tokens=600000,
            max_query_tokens=8000,
            tpm=4000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/rerank-2.5-lite",
            batch=True,
            note="In the lifecycle table of 29 September 2026, every Atlas endpoint serves this model; the change log of 1 September omits it. The table is used. 200M tokens were still free in July 2026.",
        ),
        "rerank-2": Model(
            name="rerank-2",
            endpoint="rerank",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="rerank-2.5",
            modalities=("text",),
            context_length=16000,
            max_request_tokens=600000,
            max_query_tokens=4000,
            tpm=2000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.05),
            free=ModelFree(tokens=0),
            tokenizer=None,
            batch=False,
            note="An older Voyage pricing page gives 200M free tokens, Atlas none; the newer page is used. Not in the list of Batch models.",
        ),
        "rerank-2-lite": Model(
            name="rerank-2-lite",
            endpoint="rerank",
            lifecycle="legacy",
            platforms=("voyage", "atlas"),
            released=None,
            replacement="rerank-2.5-lite",
            modalities=("text",),
            context_length=8000,
            max_request_tokens=600000,
            max_query_tokens=2000,
            tpm=4000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/rerank-2-lite",
            batch=False,
            note="Not in the list of Batch models.",
        ),
        "rerank-1": Model(
            name="rerank-1",
            endpoint="rerank",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=8000,
            max_request_tokens=300000,
            max_query_tokens=2000,
            tpm=2000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.05),
            free=ModelFree(tokens=0),
            tokenizer=None,
            start_token=True,
            batch=False,
            note="The definition in the TypeScript client 0.1.0 allows 100000 tokens per request, later ones 300000; the later value is used. Not in the list of Batch models.",
        ),
        "rerank-lite-1": Model(
            name="rerank-lite-1",
            endpoint="rerank",
            lifecycle="older",
            platforms=("voyage",),
            released=None,
            modalities=("text",),
            context_length=4000,
            max_request_tokens=300000,
            max_query_tokens=1000,
            tpm=4000000,
            rpm=2000,
            price=ModelPrice(usd_per_million_tokens=0.02),
            free=ModelFree(tokens=0),
            tokenizer="voyageai/rerank-lite-1",
            start_token=True,
            batch=False,
            note="Not in the list of Batch models.",
        ),
    }
)
"""Every model by name, current and legacy."""
