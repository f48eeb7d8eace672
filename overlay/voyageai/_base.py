"""The common part of both clients: settings, copies, tokens."""

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
from .argument_checks import check_model
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
# Senders belong to the clients that they send for.

C = TypeVar("C", bound="_BaseClient")
T = TypeVar("T")

# Settings of the pool: a copy of a client that changes one of them gets its own pool.
TRANSPORT_OPTIONS = ("http_client", "transport", "proxy", "verify", "limits")
# Settings that hold secrets, which tracebacks with locals would show, and their wrappers.
SECRET: Mapping[str, Callable[[Any], Any]] = {
    "api_key": conceal,
    "base_url": with_hidden_passwords,
    "proxy": with_hidden_passwords,
    "default_headers": concealed,
}
# Settings that the official client reads from the module and this one does not, each with its
# default and the argument to use instead.
OLD_SETTINGS = {
    "requestssession": (None, "http_client=httpx2.Client(...)"),
    "aiosession": (None, "http_client=httpx2.AsyncClient(...)"),
    "verify_ssl_certs": (True, "verify=..."),
}


class ClientOptions(TypedDict, total=False):
    """The keyword arguments of a client."""

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


class _BaseClient(ABC):  # pyright: ignore[reportUnusedClass]  # the official client's name
    """The settings of a client. Public names are the official client's.

    Attributes:
        api_key: The key that was found, or None.
        max_retries: Number of retries of a failed call, or a policy.
    """

    api_key: str | None
    max_retries: int | RetryPolicy
    # Read at each call, as frameworks change it after construction.
    _params: dict[str, Any]

    def __init_subclass__(cls) -> None:
        """Copy `__init__`, so that errors about its arguments name the subclass, not this class."""
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
        import voyageai  # for settings on the module

        settings = self._settings
        # Wrong settings raise now, not at the first call.
        policy(settings.get("max_retries", 0))
        seconds(settings.get("timeout"))
        positive(settings.get("deadline"))
        byte_limit(settings.get("max_response_bytes"))
        settings["input_types"] = check_input_types(settings.get("input_types", {}))
        telemetry_setting = check_open_telemetry(
            settings.get("open_telemetry"), os.environ.get(TELEMETRY_VARIABLE, "")
        )
        self._telemetry_setting: Telemetry | bool | None
        if isinstance(telemetry_setting, Mapping):
            from .telemetry.recorder import Telemetry

            self._telemetry_setting = Telemetry.of(telemetry_setting) or False
        else:
            self._telemetry_setting = telemetry_setting
        limit = settings.get("rate_limit")
        if limit is not None:
            from .ratelimit import RateLimiter  # imported only if used

            limit = settings["rate_limit"] = RateLimiter.of(limit)  # shared by copies
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
                value = value.get(None)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # may hold anything
            if value is not default:
                warnings.warn(
                    f"voyageai.{name} has no effect; pass {instead} to the client.",
                    UserWarning,
                    stacklevel=stacklevel(),
                )

    def _deployment(self) -> Deployment:
        """Return the deployment of the settings.

        Raises:
            ArgumentError: `deployment` is invalid, or a base URL is given as well.
        """
        from .deployments import Deployment  # imported only if used

        found = self._settings["deployment"] = Deployment.of(self._settings.get("deployment"))
        if self._settings.get("base_url") not in (None, "", found.url):
            raise ArgumentError(
                "deployment and base_url are both given; pass only one: a deployment has a URL",
                "base_url",
            )
        return found

    def _configure_requests(self, key: str | None) -> None:
        """Set what affects requests: headers, authentication, and the deployment's kind.

        Raises:
            ArgumentError: `default_headers`, `auth` or `single_model` is wrong.
        """
        settings = self._settings
        headers = check_headers("default_headers", settings.get("default_headers") or {})
        auth, single = settings.get("auth"), settings.get("single_model")
        if auth is not None and not hasattr(auth, "auth_flow"):
            raise ArgumentError(f"auth must be an httpx2.Auth, not {type(auth).__name__}", "auth")
        self._single_model = None if single is None else check_model(single)
        self._auth: Any = auth
        self._headers: Mapping[str, str] = headers
        self._kind: DeploymentKind | None = None
        self._warned_models: set[tuple[str, str]] = set()
        deployment = cast("Deployment | None", settings.get("deployment"))
        if deployment is not None:
            self._kind = deployment.kind
            self._single_model = single or deployment.model
            self._headers = {**deployment.headers, **headers}
            self._auth = deployment.auth(key) if auth is None else auth
        elif single is not None:
            from .deployments import single_model

            self._kind = single_model()

    def _check_url(self) -> None:
        """Check the base URL, and warn of secrets that would travel unencrypted.

        Raises:
            ArgumentError: The base URL is not valid.
        """
        from .transport.config import check_base_url

        open_to_all = self._kind is not None and self._kind.authentication == "none"
        secret = not open_to_all or bool(self._headers) or self._settings.get("auth") is not None
        check_base_url(self._params["base_url"], secret=secret)

    def _model(self, given: str | None) -> str:
        """Return the model of a call: the given one, or else the deployment's only one.

        Raises:
            ArgumentError: No model is given, and none is known.
        """
        found = self._single_model if given is None else given
        if found is None and self._kind is not None:
            raise ArgumentError(
                "the model of this deployment is not known; pass model=... to the call, or "
                "single_model=... to the client",
                "model",
            )
        return check_model(found)

    def _for_deployment(self, call: Call[T]) -> Call[T]:
        """Return a call translated for the deployment.

        Raises:
            ArgumentError: The deployment does not support the call, or serves another model.
        """
        from .calls import for_deployment

        kind = cast("DeploymentKind", self._kind)
        if self._single_model is not None and call.model not in ("", self._single_model):
            raise ArgumentError(
                f"model={call.model!r} is not the model of this deployment, "
                f"{self._single_model!r}; leave it out",
                "model",
            )
        return for_deployment(kind, call, self._warned_models)

    def _check_offered(self, endpoint: str) -> None:
        """Check that the deployment has an operation.

        Raises:
            ArgumentError: The deployment does not have the operation.
        """
        if self._kind is not None:
            from .deployments import check_offered

            check_offered(self._kind, endpoint)

    def _connect(self) -> None:
        """Open a transport for this client.

        Raises:
            ArgumentError: A setting of connections is wrong.
        """
        import voyageai  # for settings on the module

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
                "http_client and transport are both given; pass only one: a client has its own "
                "transport",
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
        self._owns_transport = True

    @abstractmethod
    def _open(self, config: Any, http: Any) -> None:
        """Set the transport: the user's own client or transport, or a pool of connections."""

    # Not Self, which Jedi resolves to this class.
    def with_options(self: C, **changes: Unpack[ClientOptions]) -> C:
        """Return a copy of the client with changed settings.

        It shares the connections, unless a change affects them.

        Args:
            changes: Keyword arguments of the client. Those left out stay unchanged.

        Returns:
            The new client. Closing it does not close shared connections.

        Raises:
            TypeError: An argument is unknown.
            ArgumentError: A setting is wrong.

        Example:
            >>> patient = vo.with_options(max_retries=5, timeout=30)
            >>> patient.max_retries
            5
        """
        changes = cast("ClientOptions", _with_secrets_hidden(changes))
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
        if "http_client" in changes or "transport" in changes:  # each replaces the other
            current["http_client"] = current["transport"] = None
        if "api_key" in changes and "base_url" not in changes:
            current["base_url"] = self._settings.get("base_url")  # the key decides about the host
        if "deployment" in changes:  # it decides about both
            current["base_url"] = None
            changes.setdefault("api_key", None)
        key = changes.pop("api_key", self._params["api_key"])
        copied._settings = {**current, **changes}
        copied._configure(key)
        if any(name in changes for name in TRANSPORT_OPTIONS):
            copied._connect()
        else:
            copied._owns_transport = False
            if {"base_url", "deployment"} & changes.keys():
                copied._check_url()
        return copied

    copy = with_options

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, memo: object) -> Self:
        return self.with_options()

    def tokenizer(self, model: str) -> Tokenizer:
        """Return the tokenizer of a model, from the library `tokenizers`; it does not truncate.

        It is fetched from the Hugging Face Hub, or from the emulator that requests go to, cached on
        disk, and loaded once per process. `HF_ENDPOINT`, `HF_HOME` and `HF_HUB_OFFLINE` are
        honoured; the client's `tokenizers` take precedence.

        Args:
            model: Name of a model.

        Returns:
            The same tokenizer each time.

        Raises:
            ImportError: The extra `tokenizers` is not installed.
            OSError: The tokenizer could not be fetched; the message says from where, and what to
                do.

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
            model: Name of a model; by default the client's `single_model`.

        Returns:
            An encoding per text, with `len`, `tokens`, `ids` and `offsets`.

        Raises:
            ArgumentError: `texts` is not a list of strings.
            ImportError, OSError: As in `tokenizer`.

        Example:
            >>> [encoding] = vo.tokenize(["Where are the keys?"], "voyage-4")
            >>> len(encoding.ids) == len(encoding.tokens)
            True
        """
        from . import tokenization

        return tokenization.encode(
            self.tokenizer(tokenization.default_model(model or self._single_model)), texts
        )

    def count_tokens(self, texts: Sequence[str], model: str | None = None) -> int:
        """Count the tokens of texts, as the API counts them for a request.

        Args:
            texts: A list of texts.
            model: Name of a model; by default the client's `single_model`.

        Raises:
            ArgumentError: `texts` is not a list of strings.
            ImportError, OSError: As in `tokenizer`.

        Example:
            >>> texts = ["Where are the keys?", "On the table."]
            >>> vo.count_tokens(texts, model="voyage-4") < 120_000
            True
        """
        from . import tokenization

        return tokenization.count(
            self.tokenizer(tokenization.default_model(model or self._single_model)), texts
        )

    def count_usage(self, inputs: Sequence[Any], model: str) -> dict[str, int]:
        """Count locally what inputs of `multimodal_embed` would be billed for.

        Args:
            inputs: As for `multimodal_embed`, but without URLs, which are not fetched.
            model: Name of a multimodal embedding model.

        Returns:
            `text_tokens`, `image_pixels`, `video_pixels` and `total_tokens`.

        Raises:
            ArgumentError: An input can't be read, or contains a URL.
            ImportError, OSError: As in `tokenizer`; images need the extra `images`.

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
        """Return the fields of a request, and the options of its call.

        Args:
            method: Name of the method that was called.
            options: The method's `**options`, which may include further fields.
            fields: The fields in the method's signature. A missing `input_type` is replaced by the
                client's default for the method.
        """
        if not fields.get("input_type", True):
            fields["input_type"] = self._settings.get("input_types", {}).get(method)
        own = {name: options[name] for name in options if name in CALL_OPTION_NAMES}
        fields.update({name: options[name] for name in options if name not in CALL_OPTION_NAMES})
        return fields, cast("CallOptions", own)

    def _telemetry(self) -> Telemetry | None:
        """Return the recorder of this client's calls; None without telemetry."""
        found = self._telemetry_setting
        # OpenTelemetry is not imported for programs that don't use it.
        if found is False or (found is None and "opentelemetry.trace" not in sys.modules):
            return None
        if found is None or found is True:
            from .telemetry.recorder import Telemetry

            return Telemetry.of_program()
        return found

    def _is_wrapped(self, method: str) -> bool:
        """Return whether a method is wrapped with wrapt, as instrumentors do."""
        return hasattr(getattr(self, method, None), "_self_wrapper")

    def _call_settings(
        self, given: CallOptions, method: str = "", *, inner: bool = False
    ) -> tuple[Mapping[str, Any], Options]:
        """Return the settings and the complete options of a call.

        Args:
            given: The options of the call.
            method: Name of the method that makes it.
            inner: True if a file, batch or table method makes the call, rather than the client's.

        Raises:
            AuthenticationError: There is no key, or an invalid one was set. The message says where
                keys are looked for.
            TypeError: An option is unknown.
        """
        # `_params` may have been changed. The raw key is in no local, which a traceback may show.
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
            TypeError: The client has an `auth`.
        """
        if self._settings.get("auth") is not None:
            raise TypeError("a client with auth=... can't be pickled; make it where it is used")
        settings = {
            name: value for name, value in self._settings.items() if name not in TRANSPORT_OPTIONS
        }
        if isinstance(verify := self._settings.get("verify"), (bool, str)):
            settings["verify"] = verify
        if not isinstance(self._settings.get("open_telemetry"), (bool, type(None))):
            del settings["open_telemetry"]  # providers belong to their process
        left_out = (
            *("_transport", "_settings", "_owns_transport", "_limiter", "_telemetry_setting"),
            *("_auth", "_headers", "_kind", "_warned_models"),
        )
        state = {name: value for name, value in vars(self).items() if name not in left_out}
        return {**state, "_settings": settings, "_params": _with_secrets_hidden(self._params)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled client; without a key, look for one in this process."""
        key = state["_params"]["api_key"]
        vars(self).update(state)
        self._configure(key or None)
        if key:
            vars(self).update(state)  # keeps changes that were made after construction
        self._connect()

    @safe_repr
    def __repr__(self) -> str:
        if self._settings.get("deployment") is not None:
            return f"{type(self).__name__}(deployment={self._settings.get('deployment')!r})"
        url = with_hidden_passwords(self._params["base_url"])  # it may have been changed
        return f"{type(self).__name__}(base_url={url!r})"


class BaseSender(Generic[C]):
    """The common part of the `flow.Sender` of both clients.

    Settings are read at each use, as those of a client may change.
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
        """The recorder of jobs; None without telemetry."""
        return self._client._telemetry()

    def options(self, given: CallOptions) -> Options:
        """Return the complete options of a call."""
        return self._client._call_settings(given)[1]

    def check(self, call: Call[Any], *endpoints: str) -> None:
        """Check that the deployment supports calls."""
        if self._client._kind is not None:
            self._client._for_deployment(call)
            for endpoint in endpoints:
                self._client._check_offered(endpoint)

    def with_share(self, share: float) -> Self:
        """Return a sender that may use a part of the client's rate limit."""
        limiter = self._client._limiter
        if limiter is None:
            raise ArgumentError("share needs a client with a rate_limit", "share")
        return type(self)(self._client.with_options(rate_limit=limiter.shared(share)))


def _with_secrets_hidden(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with masked reprs of secrets."""
    return {name: SECRET.get(name, _unchanged)(value) for name, value in settings.items()}


def _unchanged(value: Any) -> Any:
    return value
