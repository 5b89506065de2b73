"""The page and its server, as an ASGI application."""

import json
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar

from plotly.offline import get_plotlyjs
from pydantic import Field
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zpfit.errors import InvalidInput, ZpfitError, suggestion
from zpfit.io.document import Document
from zpfit.io.schema import StrictModel, validate
from zpfit.pages.explore.answers import LARGEST_GRID, as_json, point_answer, slice_answer
from zpfit.pages.explore.catalogue import Catalogue

_HOSTS = ["127.0.0.1", "localhost"]
"""Host names of this machine. Others would come from a forged name server."""
_LARGEST_BODY = 65_536
_JSON = "application/json"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Content policy: inline styles are allowed, because Plotly needs them; inline scripts are not."""
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_PAGE = {
    "/": ("index.html", "text/html"),
    "/explore.css": ("explore.css", "text/css"),
    "/scales.js": ("scales.js", "text/javascript"),
    "/tables.js": ("tables.js", "text/javascript"),
    "/slice.js": ("slice.js", "text/javascript"),
    "/explore.js": ("explore.js", "text/javascript"),
}

Name = Annotated[str, Field(min_length=1, max_length=2000)]


class SubjectRequest(StrictModel):
    """A model, as a run file describes it, and a set."""

    model: Name
    likelihood: Name


class PointRequest(SubjectRequest):
    """A point; missing parameters have their defaults."""

    point: Annotated[dict[str, float], Field(max_length=1000)]


class SliceRequest(PointRequest):
    """A slice through a point along two parameters."""

    x: Name
    y: Name
    grid: Annotated[int, Field(ge=2, le=LARGEST_GRID)] | None = None
    """Nodes along each axis; the default is the finest grid that is fast."""


Asked = TypeVar("Asked", bound=SubjectRequest)
Endpoint = Callable[[Request], Awaitable[Response]]


def application(catalogue: Catalogue) -> Starlette:
    """Return the application for the models and data of a catalogue.

    It answers requests of this machine only.
    """
    routes = [
        *(_asset(path, name, kind) for path, (name, kind) in _PAGE.items()),
        Route("/plotly.js", _constant(get_plotlyjs(), "text/javascript", keep=True)),
        Route("/api/catalogue", _catalogue(catalogue)),
        _question("/api/subject", SubjectRequest, lambda asked: _subject(catalogue, asked)),
        _question("/api/point", PointRequest, lambda asked: _point(catalogue, asked)),
        _question("/api/slice", SliceRequest, lambda asked: _slice(catalogue, asked)),
    ]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False),
        Middleware(_SafeHeaders),
    ]
    handlers: Mapping[Any, Any] = {
        HTTPException: _refused,
        ZpfitError: _mistaken,
        ClientDisconnect: _unread,
    }
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)


class _SafeHeaders:
    """Headers that forbid foreign content, and that forbid other pages to show or read this one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += _RAW_HEADERS
            await send(message)

        await self._app(scope, receive, with_headers)


def _constant(content: str, kind: str, *, keep: bool = False) -> Endpoint:
    body = content.encode()
    headers = {"Cache-Control": "private, max-age=86400" if keep else "no-cache"}

    async def answer(_: Request) -> Response:
        return Response(body, media_type=kind, headers=headers)

    return answer


def _asset(path: str, name: str, kind: str) -> Route:
    text = (files("zpfit.pages.explore") / "page" / name).read_text(encoding="utf-8")
    return Route(path, _constant(text, kind))


def _question(path: str, form: type[Asked], answer: Callable[[Asked], dict[str, Any]]) -> Route:
    """Return a route that takes JSON by POST, so that no link or image can trigger it."""

    async def endpoint(request: Request) -> Response:
        asked = validate(form, Document(Path("request"), await _body(request), {}))
        return _json(await run_in_threadpool(answer, asked))

    return Route(path, endpoint, methods=["POST"])


async def _body(request: Request) -> Any:
    """Return the JSON in the body of a request.

    Raises
    ------
    HTTPException
        The body is not JSON or too long, or another page sent it.
    """
    own = {f"http://{request.headers.get('host')}", None}
    if request.headers.get("origin") not in own:
        raise HTTPException(403, "sent by another page")
    if request.headers.get("content-type", "").split(";")[0].strip() != _JSON:
        raise HTTPException(415, f"the body must be {_JSON}")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise HTTPException(413, f"the body must have at most {_LARGEST_BODY:,} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from error


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    # json.dumps takes almost as long as the computation of a slice.
    text = to_json(content, inf_nan_mode="null")
    return Response(text, status, {"Cache-Control": "no-store"}, _JSON)


async def _refused(_: Request, error: HTTPException) -> Response:
    return _json({"problems": [str(error.detail)]}, error.status_code)


async def _unread(_: Request, error: ClientDisconnect) -> Response:  # noqa: ARG001 - as the others
    # The page was closed while it sent its request, which is no failure to report.
    return Response(status_code=204)


async def _mistaken(_: Request, error: ZpfitError) -> Response:
    problems = error.problems if isinstance(error, InvalidInput) else (str(error),)
    return _json({"problems": list(problems)}, 422)


def _catalogue(catalogue: Catalogue) -> Endpoint:
    async def answer(_: Request) -> Response:
        return _json(
            {
                "version": version("zpfit"),
                "models": catalogue.models,
                "likelihoods": catalogue.likelihoods,
                "model": catalogue.model,
                "likelihood": catalogue.likelihood,
                "found_elsewhere": [
                    n for n in catalogue.likelihoods if catalogue.is_found_elsewhere(n)
                ],
            }
        )

    return answer


def _subject(catalogue: Catalogue, asked: SubjectRequest) -> dict[str, Any]:
    return as_json(catalogue.subject(asked.model, asked.likelihood))


def _point(catalogue: Catalogue, asked: PointRequest) -> dict[str, Any]:
    return point_answer(catalogue.subject(asked.model, asked.likelihood), asked.point)


def _slice(catalogue: Catalogue, asked: SliceRequest) -> dict[str, Any]:
    subject = catalogue.subject(asked.model, asked.likelihood)
    known = list(subject.sliders)
    problems = [
        f"{key}: model {subject.model.name!r} has no parameter {name!r}; {suggestion(name, known)}"
        for key, name in (("x", asked.x), ("y", asked.y))
        if name not in known
    ]
    if asked.x == asked.y:
        problems.append(f"y: {asked.y!r} is along x already; choose another parameter")
    if problems:
        raise InvalidInput(problems)
    grid = subject.grid if asked.grid is None else asked.grid
    return slice_answer(subject, asked.point, asked.x, asked.y, grid)
