"""Every deployment and gateway of the contract, with both clients, against the emulator."""

from __future__ import annotations

import asyncio
import io
import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
import voyageai
from google.auth.credentials import Credentials
from PIL import Image
from voyageai import deployments
from voyageai.error import (
    ArgumentError,
    AuthenticationError,
    InvalidRequestError,
    ServiceUnavailableError,
    VoyageError,
)
from voyageai_emulator import Emulator, running
from voyageai_rest.deployments import DEPLOYMENTS

KEYS = ("an-access-key", "a-secret-access-key")
OF = {  # a model for each operation
    "embeddings": "voyage-4",
    "contextualizedembeddings": "voyage-context-4",
    "multimodalembeddings": "voyage-multimodal-3.5",
    "rerank": "rerank-2.5",
}
LINE = b'{"custom_id": "1", "body": {"input": ["a"]}}\n'
KINDS = sorted(DEPLOYMENTS)
OFFERED = [
    (name, endpoint) for name in KINDS for endpoint in OF if endpoint in DEPLOYMENTS[name].paths
]
LACKING = [
    (name, endpoint) for name in KINDS for endpoint in OF if endpoint not in DEPLOYMENTS[name].paths
]


class Tokens(Credentials):
    """Stand-in for Google's credentials that returns a new token each time."""

    def __init__(self) -> None:
        super().__init__()
        self.refreshes = 0

    def refresh(self, request: object) -> None:
        self.refreshes += 1
        self.token = f"google-token-{self.refreshes}"
        # google-auth compares it with a naive datetime.
        self.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)


def session(keys: tuple[str, str] = KEYS) -> botocore.session.Session:
    """Return an AWS session with these keys."""
    made = botocore.session.Session()
    made.set_credentials(*keys)
    return made


@contextmanager
def emulated(name: str, model: str | None = None, **settings: Any) -> Iterator[Emulator]:
    """Run an emulator that behaves like a deployment."""
    one = DEPLOYMENTS[name].one_model and model is not None
    setting = f"{name}:{model}" if one else name
    with running(deployment=setting, aws_credentials=dict([KEYS]), **settings) as emulator:
        yield emulator


def deployment(name: str, url: str, model: str | None = None) -> deployments.Deployment:
    """Return the deployment that an emulator imitates, in the form that users write."""
    match name:
        case "sagemaker":
            return deployments.SageMaker(
                "my-endpoint", "us-east-1", model=model, session=session(), url=str(url)
            )
        case "azure":
            return deployments.AzureApp(str(url), model=model)
        case "vertex":
            return deployments.VertexEndpoint(str(url), model=model, credentials=Tokens())
        case _:
            return deployments.Gateway(str(url), dialect=name, headers={"x-portkey-api-key": "any"})


@pytest.fixture(params=["Client", "AsyncClient"])
def kind(request: pytest.FixtureRequest) -> Any:
    """Each of the two clients."""
    return getattr(voyageai, request.param)


def made(kind: Any, name: str, url: str, model: str | None = None, **options: Any) -> Any:
    """Return a client of a deployment, with a key if the deployment takes one."""
    if "key" in DEPLOYMENTS[name].authentication:
        options.setdefault("api_key", "a-key")
    return kind(deployment=deployment(name, url, model), **options)


def call(client: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method, close the client and return the result."""

    async def awaited() -> Any:
        async with client:
            return await getattr(client, method)(*args, **kwargs)

    if isinstance(client, voyageai.AsyncClient):
        return asyncio.run(awaited())
    with client:
        return getattr(client, method)(*args, **kwargs)


def picture() -> Image.Image:
    """Return a small picture."""
    return Image.new("RGB", (60, 40), "red")


def use(client: Any, endpoint: str, model: str | None, **options: Any) -> Any:
    """Call the method of an endpoint."""
    match endpoint:
        case "embeddings":
            return call(client, "embed", ["It rains.", "It snows."], model, **options)
        case "contextualizedembeddings":
            inputs = [["The river rose.", "It fell."], ["Snow."]]
            return call(client, "contextualized_embed", inputs, model, **options)
        case "multimodalembeddings":
            return call(client, "multimodal_embed", [["A flag.", picture()]], model, **options)
        case _:
            documents = ["It snows.", "Keys are on the table."]
            return call(client, "rerank", "Where are the keys?", documents, model, **options)


def expected(endpoint: str) -> Any:
    """Return the result of the same call at the API itself."""
    with running() as emulator, voyageai.Client("any", base_url=emulator) as vo:
        return use(vo, endpoint, OF[endpoint])


def numbers(result: Any, endpoint: str) -> Any:
    """Return the vectors of a result, or its indexes and scores."""
    if endpoint == "rerank":
        return [(one.index, one.document, one.relevance_score) for one in result.results]
    if endpoint == "contextualizedembeddings":
        return [one.to_numpy().tolist() for one in result.results]
    return result.to_numpy().tolist()


@pytest.mark.parametrize("old", [False, True], ids=["new image", "old image"])
@pytest.mark.parametrize(("name", "endpoint"), OFFERED)
def test_a_deployment_answers_as_the_api(kind, name, endpoint, old):
    """Moving to a deployment takes one argument, whatever format its responses have."""
    with emulated(name, OF[endpoint], old_images=old) as emulator:
        result = use(made(kind, name, emulator), endpoint, OF[endpoint])
        asked = emulator.requests.last

    assert numbers(expected(endpoint), endpoint) == numbers(result, endpoint)
    assert OF[endpoint] == asked.model.model
    assert ("multimodal" in endpoint and old) or result.total_tokens == expected(
        endpoint
    ).total_tokens


@pytest.mark.parametrize(("name", "endpoint"), LACKING)
def test_what_a_deployment_lacks_is_refused_before_anything_is_sent(kind, name, endpoint):
    """The response would be a 404 at best, and a bill at worst."""
    with emulated(name) as emulator:
        with pytest.raises(ArgumentError, match=f"needs /{endpoint}, which"):
            use(made(kind, name, emulator), endpoint, OF[endpoint])
        assert [] == list(emulator.requests)


@pytest.mark.parametrize("name", [name for name in KINDS if "files" not in DEPLOYMENTS[name].paths])
@pytest.mark.parametrize("resource", ["files", "batches"])
def test_files_and_batch_jobs_are_refused_where_there_are_none(kind, name, resource):
    """The user learns it before preparing a job that could never be sent."""
    with pytest.raises(ArgumentError, match=f"needs /{resource}, which {DEPLOYMENTS[name].title}"):
        getattr(made(kind, name, "http://127.0.0.1:9"), resource)


def test_files_pass_through_a_gateway_that_passes_requests_on():
    """Batch jobs work there as they do at the API."""
    with emulated("voyage") as emulator, made(voyageai.Client, "voyage", emulator) as vo:
        file = vo.files.upload(io.BytesIO(LINE), filename="rows.jsonl")
        assert json.loads(LINE) == json.loads(vo.files.content(file.id).read())


@pytest.mark.parametrize("name", ["voyage", "cloudflare"])
def test_the_content_of_a_file_passes_a_gateway_byte_for_byte(kind, name):
    """A file of one line is valid JSON, which a gateway's JSON parser must not rewrite."""
    line = b'{"custom_id":  "1", "body": {"input":  ["a"]}}\n'

    async def awaited(vo: Any) -> bytes:
        async with vo:
            file = await vo.files.upload(io.BytesIO(line), filename="rows.jsonl")
            return await vo.files.content(file.id).read()

    with emulated(name) as emulator:
        vo = made(kind, name, emulator)
        if isinstance(vo, voyageai.AsyncClient):
            found = asyncio.run(awaited(vo))
        else:
            with vo:
                file = vo.files.upload(io.BytesIO(line), filename="rows.jsonl")
                found = vo.files.content(file.id).read()
    assert line == found


REFUSED = [
    (name, endpoint, field)
    for name in KINDS
    for key in DEPLOYMENTS[name].refused
    for field in [key.rpartition(".")[2]]
    for endpoint in DEPLOYMENTS[name].paths
    if endpoint in OF and key in (field, f"{endpoint}.{field}")
]
ASKED = {  # a value of each field that is not its default
    "input_type": "query",
    "truncation": False,
    "output_dtype": "int8",
    "output_dimension": 256,
    "return_documents": True,
}
TAKEN = {"rerank": ("truncation", "return_documents"), "embeddings": tuple(ASKED)[:4]}


@pytest.mark.parametrize(
    ("name", "endpoint", "field"), [one for one in REFUSED if one[2] in TAKEN.get(one[1], ASKED)]
)
def test_a_field_that_would_be_lost_is_refused(kind, name, endpoint, field):
    """Vectors of another dimension or dtype than requested would silently spoil an index."""
    client = made(kind, name, "http://127.0.0.1:9")
    why = DEPLOYMENTS[name].refused.get(field) or DEPLOYMENTS[name].refused[f"{endpoint}.{field}"]
    with pytest.raises(ArgumentError) as caught:
        use(client, endpoint, OF[endpoint], **{field: ASKED[field]})

    assert field == caught.value.argument
    assert f"{field}={ASKED[field]!r} can't be sent to {DEPLOYMENTS[name].title}: {why}" in str(
        caught.value
    )


def _takes(name: str, field: str) -> bool:
    return not {field, f"embeddings.{field}"} & {*DEPLOYMENTS[name].refused}


@pytest.mark.parametrize("name", [name for name in KINDS if _takes(name, "output_dimension")])
def test_a_dimension_reaches_the_model_under_the_name_that_is_taken(kind, name):
    """Each gateway has another name for this field."""
    with emulated(name, "voyage-4") as emulator:
        result = use(made(kind, name, emulator), "embeddings", "voyage-4", output_dimension=256)
        assert 256 == emulator.requests.last.model.output_dimension
    assert (2, 256) == result.to_numpy().shape


@pytest.mark.parametrize("name", [name for name in KINDS if _takes(name, "input_type")])
def test_an_input_type_reaches_the_model(kind, name):
    """A query finds less without the prompt of its input type."""
    with emulated(name, "voyage-4") as emulator:
        call(made(kind, name, emulator), "embed_query", "Where are the keys?", "voyage-4")
        assert "query" == emulator.requests.last.model.input_type


@pytest.mark.parametrize("name", [name for name in KINDS if "rerank" in DEPLOYMENTS[name].paths])
def test_the_best_of_a_ranking_can_be_asked_for(kind, name):
    """Each gateway has another name for `top_k`."""
    with emulated(name, "rerank-2.5") as emulator:
        result = use(made(kind, name, emulator), "rerank", "rerank-2.5", top_k=1)
    assert [1] == [one.index for one in result.results]


@pytest.mark.parametrize("name", KINDS)
def test_an_error_has_the_class_and_the_words_of_the_api(kind, name):
    """Each deployment wraps the API's errors in a format of its own."""
    # The client does not check `extra_body`, so the server has to refuse it.
    dimension = {"dimensions": 7} if DEPLOYMENTS[name].renamed else {"output_dimension": 7}
    with emulated(name, "voyage-4") as emulator:
        client = made(kind, name, emulator)
        with pytest.raises(InvalidRequestError) as caught:
            use(client, "embeddings", "voyage-4", extra_body=dimension)

    if name == "portkey":  # there the emulator checks the names of fields first
        assert "Argument 'output_dimension' is not supported" in str(caught.value)
    else:
        assert "The output dimension 7 is not supported" in str(caught.value)
    assert 400 == caught.value.http_status
    assert caught.value.request_id


@pytest.mark.parametrize("name", KINDS)
def test_a_passing_failure_is_tried_again(kind, name):
    """A deployment that restarts must not end a long job."""
    policy = voyageai.RetryPolicy(max_retries=2, initial_delay=0.0)
    with emulated(name, "voyage-4") as emulator:
        emulator.faults.next("status", status=503, times=2)
        client = made(kind, name, emulator, max_retries=policy)
        assert 2 == len(use(client, "embeddings", "voyage-4"))
        assert 3 == len(emulator.requests)
        emulator.faults.next("status", status=503)
        with pytest.raises(ServiceUnavailableError) as caught:
            use(made(kind, name, emulator), "embeddings", "voyage-4")
    assert (503, 1) == (caught.value.http_status, caught.value.attempts)


@pytest.mark.parametrize("name", [name for name in KINDS if DEPLOYMENTS[name].one_model])
def test_the_only_model_need_not_be_named(kind, name):
    """An endpoint serves one model, so requests need not name it."""
    with emulated(name, "voyage-4-lite") as emulator:
        result = use(made(kind, name, emulator, "voyage-4-lite"), "embeddings", None)
        other = made(kind, name, emulator, "voyage-4-lite")
        with pytest.raises(
            ArgumentError, match="model='voyage-4' is not the model of this deployment"
        ):
            use(other, "embeddings", "voyage-4")
        with pytest.raises(ArgumentError, match="the model of this deployment is not known"):
            use(made(kind, name, emulator), "embeddings", None)
        assert 1 == len(emulator.requests)
    assert "voyage-4-lite" == result.model


@pytest.mark.parametrize("name", KINDS)
def test_tables_and_rate_limits_work_there(tmp_path, name):
    """Tables and rate limits are independent of the host that they send to."""
    rows = [{"id": str(number), "text": f"Text number {number}."} for number in range(40)]
    with emulated(name, "voyage-4") as emulator:
        options: dict[str, Any] = {"rate_limit": voyageai.RateLimit(rpm=10_000, tpm=10_000_000)}
        with made(voyageai.Client, name, emulator, **options) as vo:
            job = vo.tables.prepare_embed(
                rows,
                model="voyage-4",
                id="id",
                text="text",
                into=tmp_path / "table",
                input_type="document" if _takes(name, "input_type") else None,
            )
            report = job.run(max_cost=1.0)
    assert 40 == report.rows


@pytest.mark.parametrize(
    ("name", "only", "given", "said"),
    [
        ("openai", None, {"input_type": "document"}, "input_type='document' can't be sent to"),
        ("azure", "voyage-4-lite", {}, "model='voyage-4' is not the model of this deployment"),
        ("azure", None, {"via": "batch"}, "needs /files, which"),
    ],
)
def test_a_table_that_a_deployment_can_not_do_is_refused_at_its_start(
    tmp_path, kind, name, only, given, said
):
    """Otherwise every row would be read, only to fail for the same reason."""
    rows = [{"id": 1, "text": "a"}]
    options = {"model": "voyage-4", "id": "id", "text": "text", "into": tmp_path / "table"}

    async def prepare() -> None:
        prepared = made(kind, name, "http://127.0.0.1:9", only).tables.prepare_embed(
            rows, **options, **given
        )
        await prepared  # only AsyncClient gets here, as Client has raised

    with pytest.raises(ArgumentError, match=said):
        asyncio.run(prepare())
    assert [] == list(tmp_path.iterdir())


def test_sagemaker_refuses_a_signature_of_other_keys(kind):
    """The error says that AWS refuses the keys, not the model."""
    with emulated("sagemaker", "voyage-4") as emulator:
        other = deployments.SageMaker(
            "my-endpoint", "us-east-1", session=session((KEYS[0], "another")), url=str(emulator)
        )
        with pytest.raises(AuthenticationError, match="does not match") as caught:
            use(kind(deployment=other), "embeddings", "voyage-4")
    assert "InvalidSignatureException" == caught.value.code


def test_a_token_that_google_refuses_is_renewed_once(kind):
    """A token may be revoked before it expires."""
    tokens = Tokens()
    with emulated("vertex", "voyage-4") as emulator:
        endpoint = deployments.VertexEndpoint(str(emulator), credentials=tokens)
        emulator.faults.next("status", status=401)
        assert 2 == len(use(kind(deployment=endpoint), "embeddings", "voyage-4"))
        assert 2 == len(emulator.requests)
    assert 2 == tokens.refreshes


def test_azure_is_sent_no_key(kind, monkeypatch):
    """An endpoint without a key is called over plain HTTP, which would reveal an API key."""
    monkeypatch.setenv("VOYAGE_API_KEY", "a-key-of-the-api")
    with emulated("azure", "voyage-4") as emulator:
        use(made(kind, "azure", emulator), "embeddings", "voyage-4")
    with pytest.raises(ArgumentError, match="api_key is given, but an Azure"):
        made(kind, "azure", "http://10.0.0.4", api_key="any")


@pytest.mark.parametrize(
    "options", [{"headers": {"x-key": "a-secret"}}, {}], ids=["with credentials", "without"]
)
def test_a_pickled_client_holds_no_credentials_of_a_deployment(options):
    """Pickles are stored and sent to other machines."""
    with emulated("litellm") as emulator:
        gateway = deployments.Gateway(str(emulator), "litellm", **options)
        client = voyageai.Client("a-key", deployment=gateway)
        if options:
            with pytest.raises(TypeError, match=r"headers=\.\.\. holds credentials"):
                pickle.dumps(client)
        else:
            with pickle.loads(pickle.dumps(client)) as again:
                assert 2 == len(use(again, "embeddings", "voyage-4"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("azure+http://10.0.0.4", "AzureApp(url='http://10.0.0.4')"),
        ("openrouter", "Gateway(url='https://openrouter.ai/api/v1', dialect='openrouter')"),
        (
            "litellm+http://127.0.0.1:4000/v1",
            "Gateway(url='http://127.0.0.1:4000/v1', dialect='litellm')",
        ),
        (
            "sagemaker+https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/mine",
            "SageMaker('mine', url='https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/mine')",
        ),
        (
            "vertex+https://1.us-central1-2.prediction.vertexai.goog/v1/projects/2/locations/us-central1/endpoints/1",
            "VertexEndpoint(url='https://1.us-central1-2.prediction.vertexai.goog/v1/projects/2/locations/us-central1/endpoints/1')",
        ),
    ],
)
def test_a_string_can_name_a_deployment(kind, text, shown):
    """Command lines and configuration files can only hold strings."""
    assert f"{kind.__name__}(deployment={shown})" == repr(
        kind("k", deployment=text) if "Gateway" in shown else kind(deployment=text)
    )


@pytest.mark.parametrize(
    "wrong", ["nowhere", "azure", "litellm", "azure+ftp://x", 7, "bedrock+https://x"]
)
def test_an_unknown_deployment_is_refused(kind, wrong):
    """A typing error must not send texts to another host."""
    with pytest.raises(ArgumentError):
        kind(deployment=wrong)


def test_a_deployment_has_the_only_url(kind):
    """One of two URLs would be silently ignored."""
    with pytest.raises(ArgumentError, match="deployment and base_url are both given"):
        made(kind, "azure", "http://10.0.0.4", base_url="https://x.example/v1")


def test_a_key_does_not_leave_with_another_deployment():
    """A gateway's key must not be sent to the API, nor the other way round."""
    first = made(voyageai.Client, "litellm", "http://127.0.0.1:9", api_key="of-the-gateway")
    copied = first.with_options(timeout=3)
    moved = first.with_options(deployment=None)

    assert ("of-the-gateway", "http://127.0.0.1:9") == (copied.api_key, copied._params["base_url"])
    assert None is moved.api_key
    assert moved._params["base_url"].startswith("https://api.voyageai.com")


def test_a_missing_key_is_named(kind, monkeypatch):
    """The key of the API in VOYAGE_API_KEY is never sent to a gateway."""
    monkeypatch.setenv("VOYAGE_API_KEY", "a-key-of-the-api")
    with pytest.raises(AuthenticationError, match="OPENROUTER_API_KEY"):
        use(kind(deployment="openrouter"), "embeddings", "voyage-4")
    monkeypatch.setenv("OPENROUTER_API_KEY", "of-openrouter")
    assert "of-openrouter" == kind(deployment="openrouter").api_key


def test_errors_of_sagemaker_keep_what_came(kind):
    """AWS support asks for the log stream that the response names."""
    with emulated("sagemaker", "voyage-4") as emulator:
        emulator.faults.next("status", status=500)
        with pytest.raises(VoyageError) as caught:
            use(made(kind, "sagemaker", emulator), "embeddings", "voyage-4")
    assert 500 == caught.value.json_body["OriginalStatusCode"]
    assert 500 == caught.value.http_status
