"""The part of both clients that does not send: settings, copies, tokens."""

from __future__ import annotations

import os
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Self, TypedDict, TypeVar, Unpack, cast

from ._utils import safe_repr, stacklevel, with_hidden_passwords
from .error import ArgumentError, AuthenticationError
from .keys import (
    MISSING,
    base_url,
    conceal,
    concealed,
    find_key,
    usable,
    usable_url,
    variables,
)
from .limits import check_model
from .options import (
    CALL_OPTION_NAMES,
    TELEMETRY_VARIABLE,
    Options,
    byte_limit,
    check_headers,
    check_input_types,
    check_open_telemetry,
    policy,
    positive,
    seconds,
    unexpected,
)

if TYPE_CHECKING:
    import ssl

    import httpx2
    from tokenizers import Encoding, Tokenizer
    from voyageai_rest.deployments import DeploymentKind
    from voyageai_rest.models import InputType

    from .calls import Call
    from .deployments import Deployment
    from .options import CallOptions, OpenTelemetry, Seconds
    from .ratelimit import Setting
    from .retry import RetryPolicy
    from .telemetry.recorder import Telemetry
    from .tokenization import Tokenizers

# pyright: reportPrivateUsage=false
# Senders are a part of the clients that they send for.

C = TypeVar("C", bound="_BaseClient")
T = TypeVar("T")

# Settings of the pool: a copy of a client that changes one of them has a pool of its own.
TRANSPORT_OPTIONS = ("http_client", "transport", "proxy", "verify", "limits")
# Secret, and shown in tracebacks with locals unless wrapped.
SECRET: Mapping[str, Callable[[Any], Any]] = {
    "api_key": conceal,
    "base_url": with_hidden_passwords,
    "proxy": with_hidden_passwords,
    "default_headers": concealed,
}
# Settings that the official client reads from the module and this one does not: their default,
# and the argument to use instead.
OLD_SETTINGS = {
    "requestssession": (None, "http_client=httpx2.Client(...)"),
    "aiosession": (None, "http_client=httpx2.AsyncClient(...)"),
    "verify_ssl_certs": (True, "verify=..."),
}


class ClientOptions(TypedDict, total=False):
    """The arguments of a client, as keywords."""

    api_key: str | None
    max_retries: int | RetryPolicy
    timeout: Seconds
    base_url: str | None
    deadline: float | None
    rate_limit: Setting
    http_client: httpx2.Client | httpx2.AsyncClient | None
    transport: httpx2.BaseTransport | httpx2.AsyncBaseTransport | None
    proxy: str | Mapping[str, str] | None
    verify: bool | str | ssl.SSLContext
    limits: httpx2.Limits | None
    input_types: Mapping[str, InputType | str]
    tokenizers: Tokenizers | None
    max_response_bytes: int | None
    open_telemetry: OpenTelemetry | bool | None
    deployment: Deployment | str | None
    single_model: str | None
    default_headers: Mapping[str, str]
    auth: httpx2.Auth | None


class _BaseClient(ABC):  # pyright: ignore[reportUnusedClass]  # named as in the official client
    """Settings of a client. Public names are the official client's.

    Attributes:
        api_key: The key that was found, or None.
        max_retries: Retries of a call that failed, or a policy.
    """

    api_key: str | None
    max_retries: int | RetryPolicy
    # Read at each call, and changed by frameworks after construction.
    _params: dict[str, Any]

    def __init_subclass__(cls) -> None:
        """Give errors about the arguments of a client the name of its class, not of this one."""
        super().__init_subclass__()
        if "__init__" not in vars(cls):
            own = cast("FunctionType", _BaseClient.__init__)
            copied = FunctionType(own.__code__, own.__globals__, argdefs=own.__defaults__)
            copied.__kwdefaults__, copied.__annotations__ = own.__kwdefaults__, own.__annotations__
            copied.__qualname__ = f"{cls.__name__}.__init__"
            cls.__init__ = copied  # type: ignore[method-assign]  # the same function

    def __init__(
        self,
        api_key: str | None = None,
        max_retries: int | RetryPolicy = 0,
        timeout: Seconds = None,
        base_url: str | None = None,
        *,
        deadline: float | None = None,
        rate_limit: Setting = None,
        http_client: httpx2.Client | httpx2.AsyncClient | None = None,
        transport: httpx2.BaseTransport | httpx2.AsyncBaseTransport | None = None,
        proxy: str | Mapping[str, str] | None = None,
        verify: bool | str | ssl.SSLContext = True,
        limits: httpx2.Limits | None = None,
        input_types: Mapping[str, InputType | str] = MappingProxyType({}),
        tokenizers: Tokenizers | None = None,
        max_response_bytes: int | None = None,
        open_telemetry: OpenTelemetry | bool | None = None,
        deployment: Deployment | str | None = None,
        single_model: str | None = None,
        default_headers: Mapping[str, str] = MappingProxyType({}),
        auth: httpx2.Auth | None = None,
    ) -> None:
        api_key = conceal(api_key)
        base_url = with_hidden_passwords(base_url)
        proxy = with_hidden_passwords(proxy)
        self._settings: ClientOptions = {
            "max_retries": max_retries,
            "timeout": timeout,
            "base_url": base_url,
            "deadline": deadline,
            "rate_limit": rate_limit,
            "http_client": http_client,
            "transport": transport,
            "proxy": proxy,
            "verify": verify,
            "limits": limits,
            "input_types": input_types,
            "tokenizers": tokenizers,
            "max_response_bytes": max_response_bytes,
            "open_telemetry": open_telemetry,
            "deployment": deployment,
            "single_model": single_model,
            "default_headers": concealed(default_headers),
            "auth": auth,
        }
        self._configure(api_key)
        self._connect()

    def _configure(self, api_key: str | None) -> None:
        import voyageai  # for what users set there

        settings = self._settings
        # What is wrong is an error now, not at the first call.
        policy(settings.get("max_retries", 0))
        seconds(settings.get("timeout"))
        positive(settings.get("deadline"))
        byte_limit(settings.get("max_response_bytes"))
        settings["input_types"] = check_input_types(settings.get("input_types", {}))
        recorded = check_open_telemetry(
            settings.get("open_telemetry"), os.environ.get(TELEMETRY_VARIABLE, "")
        )
        self._records: Telemetry | bool | None
        if isinstance(recorded, Mapping):
            from .telemetry.recorder import Telemetry

            self._records = Telemetry.of(recorded) or False
        else:
            self._records = recorded
        limit = settings.get("rate_limit")
        if limit is not None:
            from .ratelimit import RateLimiter  # only those who use it should pay for it

            limit = settings["rate_limit"] = RateLimiter.of(limit)  # copies share it
        self._limiter = limit
        environment = variables()
        if settings.get("deployment") is None:
            key = find_key(
                api_key,
                module_path=voyageai.api_key_path,
                module_key=conceal(voyageai.api_key),
                environment=environment,
            )
            url = base_url(settings.get("base_url"), key, environment)
        else:
            deployment = self._deployment()
            key, url = deployment.find_key(api_key), deployment.url
        self.api_key = key
        self.max_retries = settings.get("max_retries", 0)
        self._params = {
            "api_key": key,
            "request_timeout": settings.get("timeout"),
            "base_url": url,
        }
        self._configure_requests(key)
        for name, (default, instead) in OLD_SETTINGS.items():
            value: Any = vars(voyageai).get(name, default)
            if isinstance(value, ContextVar):
                value = value.get(None)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # of anything
            if value is not default:
                warnings.warn(
                    f"voyageai.{name} has no effect; pass {instead} to the client.",
                    UserWarning,
                    stacklevel=stacklevel(),
                )

    def _deployment(self) -> Deployment:
        """Return the deployment that the settings name.

        Raises:
            ArgumentError: It is none, or a base URL was given too.
        """
        from .deployments import Deployment  # only those who use one should pay for it

        found = self._settings["deployment"] = Deployment.of(self._settings.get("deployment"))
        if self._settings.get("base_url") not in (None, "", found.url):
            raise ArgumentError(
                "deployment and base_url were both given; pass one of them: a deployment has a URL",
                "base_url",
            )
        return found

    def _configure_requests(self, key: str | None) -> None:
        """Set what changes requests: headers, what proves who calls, and the form of a deployment.

        Raises:
            ArgumentError: One of these settings is wrong.
        """
        settings = self._settings
        headers = check_headers("default_headers", settings.get("default_headers") or {})
        auth, only = settings.get("auth"), settings.get("single_model")
        if auth is not None and not hasattr(auth, "auth_flow"):
            raise ArgumentError(f"auth must be an httpx2.Auth, not {type(auth).__name__}", "auth")
        self._only = None if only is None else check_model(only)
        self._auth: Any = auth
        self._headers: Mapping[str, str] = headers
        self._kind: DeploymentKind | None = None
        self._mistaken: set[tuple[str, str]] = set()
        deployment = cast("Deployment | None", settings.get("deployment"))
        if deployment is not None:
            self._kind = deployment.kind
            self._only = only or deployment.model
            self._headers = {**deployment.headers, **headers}
            self._auth = deployment.auth(key) if auth is None else auth
        elif only is not None:
            from .deployments import single_model

            self._kind = single_model()

    def _check_url(self) -> None:
        """Refuse a base URL that is none; warn of secrets that would travel unencrypted.

        Raises:
            ArgumentError: It is not a valid URL.
        """
        from .transport.config import check_base_url

        open_to_all = self._kind is not None and self._kind.authentication == "none"
        secret = not open_to_all or bool(self._headers) or self._settings.get("auth") is not None
        check_base_url(self._params["base_url"], secret=secret)

    def _model(self, given: str | None) -> str:
        """Return the model of a call: the one that was named, or else the only one there.

        Raises:
            ArgumentError: There is none.
        """
        found = self._only if given is None else given
        if found is None and self._kind is not None:
            raise ArgumentError(
                "the model that is served there is not known; pass model=..., here or there",
                "model",
            )
        return check_model(found)

    def _through(self, call: Call[T]) -> Call[T]:
        """Return a call as it goes to the deployment.

        Raises:
            ArgumentError: The deployment can't do that, or serves another model.
        """
        from .calls import for_deployment

        kind = cast("DeploymentKind", self._kind)
        if self._only is not None and call.model not in ("", self._only):
            raise ArgumentError(
                f"model={call.model!r} is not the one that is served there, {self._only!r}; leave "
                "it out",
                "model",
            )
        return for_deployment(kind, call, self._mistaken)

    def _check_offered(self, endpoint: str) -> None:
        """Refuse operations that the deployment does not have.

        Raises:
            ArgumentError: It does not.
        """
        if self._kind is not None:
            from .deployments import check_offered

            check_offered(self._kind, endpoint)

    def _connect(self) -> None:
        """Open a transport of this client's own.

        Raises:
            ArgumentError: A setting of the connections is wrong.
        """
        import voyageai  # for what users set there

        from .transport.config import LIMITS, ConnectionConfig
        from .transport.logs import configure

        settings = self._settings
        proxy = with_hidden_passwords(settings.get("proxy") or voyageai.proxy)
        if proxy is not None and not isinstance(proxy, (str, Mapping)):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may set anything
            raise ArgumentError(
                "'proxy' must be a URL, or URLs by scheme such as {'https': ...}, "
                f"not {type(proxy).__name__}",
                "proxy",
            )
        client, transport = settings.get("http_client"), settings.get("transport")
        if client is not None and transport is not None:
            raise ArgumentError(
                "http_client and transport were both given; pass one of them: a client sends by "
                "its own transport",
                "transport",
            )
        configure(voyageai.log)
        self._check_url()
        config = ConnectionConfig(
            proxy=cast("str | Mapping[str, str] | None", proxy),
            verify=settings.get("verify", True),
            limits=settings.get("limits") or LIMITS,
        )
        self._open(config, transport if client is None else client)
        self._owner = True

    @abstractmethod
    def _open(self, config: Any, http: Any) -> None:
        """Set the transport: one of the user's own, or connections as the settings say."""

    # Not Self, which Jedi takes for this class.
    def with_options(self: C, **changes: Unpack[ClientOptions]) -> C:
        """Return a client with other settings and, unless these concern them, the same connections.

        Args:
            changes: Arguments of the client, as keywords. What is left out stays as it is.

        Returns:
            The new client. Closing it closes no connection that it shares.

        Raises:
            TypeError: There is no such argument.
            ArgumentError: A setting is wrong.

        Example:
            >>> patient = vo.with_options(max_retries=5, timeout=30)
            >>> patient.max_retries
            5
        """
        changes = cast("ClientOptions", _wrapped(changes))
        known = ClientOptions.__annotations__
        for name in changes:
            if name not in known:
                raise unexpected("with_options", name, known)
        copied = type(self).__new__(type(self))
        vars(copied).update(vars(self))
        current: ClientOptions = {
            **self._settings,
            "max_retries": self.max_retries,
            "timeout": self._params["request_timeout"],
            "base_url": self._params["base_url"],
        }
        if "http_client" in changes or "transport" in changes:  # the one goes with the other
            current["http_client"] = current["transport"] = None
        if "api_key" in changes and "base_url" not in changes:
            current["base_url"] = self._settings.get("base_url")  # the host goes with the key
        if "deployment" in changes:  # both go with it
            current["base_url"] = None
            changes.setdefault("api_key", None)
        key = changes.pop("api_key", self._params["api_key"])
        copied._settings = {**current, **changes}  # of this class
        copied._configure(key)  # of this class
        if any(name in changes for name in TRANSPORT_OPTIONS):
            copied._connect()  # of this class
        else:
            copied._owner = False  # of this class
            if {"base_url", "deployment"} & changes.keys():
                copied._check_url()  # of this class
        return copied

    copy = with_options

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, memo: object) -> Self:
        return self.with_options()

    def tokenizer(self, model: str) -> Tokenizer:
        """Return the tokenizer of a model, of the library `tokenizers`; it does not truncate.

        Fetched once per process and machine: from the Hugging Face Hub, or from the emulator that
        requests go to. `HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are honoured; the client's
        `tokenizers` go first.

        Args:
            model: Name of a model.

        Returns:
            The same tokenizer each time.

        Raises:
            ImportError: The extra `tokenizers` is not installed.
            OSError: It could not be fetched; says from where, and what to do.

        Example:
            >>> tokenizer = vo.tokenizer("voyage-4")
            >>> tokenizer.decode(tokenizer.encode("Where are the keys?").ids)
            'Where are the keys?'

        Source: https://docs.voyageai.com/docs/tokenization
        """
        from . import tokenization

        url = self._params["base_url"]
        return tokenization.load(model, self._settings.get("tokenizers"), url)

    def tokenize(self, texts: Sequence[str], model: str | None = None) -> list[Encoding]:
        """Tokenize texts, without the prompt of an input type.

        Args:
            texts: A list of texts.
            model: Name of a model; by default the one that the deployment is said to serve.

        Returns:
            An encoding per text, with `len`, `tokens`, `ids` and `offsets`.

        Raises:
            ArgumentError: The texts are not a list of strings.
            ImportError, OSError: As in `tokenizer`.

        Example:
            >>> [encoding] = vo.tokenize(["Where are the keys?"], "voyage-4")
            >>> len(encoding.ids) == len(encoding.tokens)
            True
        """
        from . import tokenization

        return tokenization.encode(
            self.tokenizer(tokenization.default_model(model or self._only)), texts
        )

    def count_tokens(self, texts: Sequence[str], model: str | None = None) -> int:
        """Count the tokens of texts, as the API counts them for a request.

        Args:
            texts: A list of texts.
            model: Name of a model; by default the one that the deployment is said to serve.

        Raises:
            ArgumentError: The texts are not a list of strings.
            ImportError, OSError: As in `tokenizer`.

        Example:
            >>> texts = ["Where are the keys?", "On the table."]
            >>> vo.count_tokens(texts, model="voyage-4") < 120_000
            True
        """
        from . import tokenization

        return tokenization.count(
            self.tokenizer(tokenization.default_model(model or self._only)), texts
        )

    def count_usage(self, inputs: Sequence[Any], model: str) -> dict[str, int]:
        """Count what inputs of `multimodal_embed` would be billed for, on this machine.

        Args:
            inputs: As `multimodal_embed` takes them, but for URLs, which are not fetched.
            model: Name of a multimodal embedding model.

        Returns:
            `text_tokens`, `image_pixels`, `video_pixels` and `total_tokens`.

        Raises:
            ArgumentError: An input can't be read, or holds a URL.
            ImportError, OSError: As in `tokenizer`; pictures need the extra `images`.

        Example:
            >>> from PIL import Image
            >>> vo.count_usage([["A cat.", Image.new("RGB", (400, 300))]], "voyage-multimodal-3.5")
            {'text_tokens': 3, 'image_pixels': 120000, 'video_pixels': 0, 'total_tokens': 217}

        Source: https://docs.voyageai.com/docs/tokenization
        """
        from .media.usage import count_usage

        def count_text(texts: list[str]) -> int:
            return self.count_tokens(texts, model)

        return count_usage(inputs, model, count_text, self._params["base_url"])

    def _arguments(
        self, method: str, options: Mapping[str, Any], **fields: Any
    ) -> tuple[dict[str, Any], CallOptions]:
        """Return the fields of a request and the options of its call.

        Args:
            method: The method that was called.
            options: Its `**options`, which may hold further fields.
            fields: The fields that are arguments of it. An `input_type` that is left out is the
                client's for the method.
        """
        if not fields.get("input_type", True):
            fields["input_type"] = self._settings.get("input_types", {}).get(method)
        own = {name: options[name] for name in options if name in CALL_OPTION_NAMES}
        fields.update({name: options[name] for name in options if name not in CALL_OPTION_NAMES})
        return fields, cast("CallOptions", own)

    def _telemetry(self) -> Telemetry | None:
        """Return what records this client's calls; None where nothing does."""
        found = self._records
        # A program that has not imported it pays nothing for it.
        if found is False or (found is None and "opentelemetry.trace" not in sys.modules):
            return None
        if found is None or found is True:
            from .telemetry.recorder import Telemetry

            return Telemetry.of_program()
        return found

    def _is_wrapped(self, method: str) -> bool:
        """Return whether a method is wrapped by wrapt, as instrumentors wrap methods."""
        return hasattr(getattr(self, method, None), "_self_wrapper")

    def _ready(
        self, given: CallOptions, method: str = "", *, inner: bool = False
    ) -> tuple[Mapping[str, Any], Options]:
        """Return the settings and the options of a call that is about to be made.

        Args:
            given: The options that the call was given.
            method: The method that makes it.
            inner: Whether a table or a batch job makes it, rather than that method of this client.

        Raises:
            AuthenticationError: There is no key, and it says where keys are looked for; or what was
                set can't be one.
            TypeError: There is no such option.
        """
        # What is there may have been set by hand. No local holds it: a traceback may show them.
        key = (
            None
            if self._params["api_key"] is None
            else usable(self._params["api_key"], "client._params")
        )
        if not key and self._auth is None:
            deployment: Any = self._settings.get("deployment")
            raise AuthenticationError(MISSING if deployment is None else deployment.missing_key())
        parameters = {
            **self._params,
            "api_key": key,
            "base_url": usable_url(self._params["base_url"]),
            "auth": self._auth,
            "headers": self._headers,
        }
        telemetry = self._telemetry()
        options = Options.of(
            given,
            timeout=self._params["request_timeout"],
            deadline=self._settings.get("deadline"),
            max_retries=self.max_retries,
            limiter=self._limiter,
            max_response_bytes=self._settings.get("max_response_bytes"),
            telemetry=telemetry,
            is_wrapped=telemetry is not None and not inner and self._is_wrapped(method),
            method=method,
        )
        return parameters, options

    def __getstate__(self) -> dict[str, Any]:
        """Return the key and the settings, without connections and passwords of proxies.

        Raises:
            TypeError: There are credentials other than the key.
        """
        if self._settings.get("auth") is not None:
            raise TypeError("a client with auth=... is not pickled; make it where it is used")
        settings = {
            name: value for name, value in self._settings.items() if name not in TRANSPORT_OPTIONS
        }
        if isinstance(verify := self._settings.get("verify"), (bool, str)):
            settings["verify"] = verify
        if not isinstance(self._settings.get("open_telemetry"), (bool, type(None))):
            del settings["open_telemetry"]  # providers belong to their process
        left_out = (
            *("_transport", "_settings", "_owner", "_limiter", "_records"),
            *("_auth", "_headers", "_kind", "_mistaken"),
        )
        state = {name: value for name, value in vars(self).items() if name not in left_out}
        return {**state, "_settings": settings, "_params": _wrapped(self._params)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled client; without a key, look for one here."""
        key = state["_params"]["api_key"]
        vars(self).update(state)
        self._configure(key or None)
        if key:
            vars(self).update(state)  # what was changed since the client was made is kept
        self._connect()

    @safe_repr
    def __repr__(self) -> str:
        if self._settings.get("deployment") is not None:
            return f"{type(self).__name__}(deployment={self._settings.get('deployment')!r})"
        url = with_hidden_passwords(self._params["base_url"])  # which may have been set by hand
        return f"{type(self).__name__}(base_url={url!r})"


class BaseSender(Generic[C]):
    """The part of a `flow.Sender` that both clients share.

    Settings are read when they are used: those of a client may be changed after it was made.
    """

    def __init__(self, client: C) -> None:
        self._client = client

    @property
    def base_url(self) -> str:
        """The URL of the API."""
        url: str = self._client._params["base_url"]
        return url

    @property
    def input_types(self) -> Mapping[str, InputType | str]:
        """Default input types, by method."""
        return self._client._settings.get("input_types", {})

    @property
    def tokenizers(self) -> Tokenizers | None:
        """The user's own tokenizers, by model."""
        return self._client._settings.get("tokenizers")

    @property
    def telemetry(self) -> Telemetry | None:
        """What records jobs; None where nothing does."""
        return self._client._telemetry()

    def options(self, given: CallOptions) -> Options:
        """Return the complete options of a call."""
        return self._client._ready(given)[1]

    def check(self, call: Call[Any], *endpoints: str) -> None:
        """Refuse what the deployment can't do."""
        if self._client._kind is not None:
            self._client._through(call)
            for endpoint in endpoints:
                self._client._check_offered(endpoint)

    def with_share(self, share: float) -> Self:
        """Return a sender that may use a part of the client's rate limit."""
        limiter = self._client._limiter
        if limiter is None:
            raise ArgumentError("share is a part of rate_limit, which the client has not", "share")
        return type(self)(self._client.with_options(rate_limit=limiter.shared(share)))


def _wrapped(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose secrets have a `repr` that hides them."""
    return {name: SECRET.get(name, _same)(value) for name, value in settings.items()}


def _same(value: Any) -> Any:
    return value
