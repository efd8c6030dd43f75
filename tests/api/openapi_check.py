#!/usr/bin/python3
"""Holds every answer of the service against openapi.yaml.

check() is called for each answer that an API test sees: the operation and the status must be documented, the headers too,
and the body must be what the schema says, with every number exact. With LODEBASE_OPENAPI_EXERCISED=FILE it appends what it
saw to FILE, one "METHOD template status" a line; at the end of a run

    openapi_check.py FILE

fails and names the documented statuses that no test ever saw.
"""
import datetime
import functools
import json
import os
import pathlib
import re
import sys
import urllib.parse
from decimal import Decimal

import jsonschema
from jsonschema import validators

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "src" / "api"))

import openapi_embed  # noqa: E402  (needs the path above; reads YAML as the build does)
import yaml  # noqa: E402

METHODS = ("get", "put", "post", "delete", "options", "patch")
# What HTTP itself and the library bring along.
TRANSPORT_HEADERS = {"date", "connection", "content-length", "content-type", "transfer-encoding", "keep-alive"}
# Statuses that any address can answer, and the problem types that they come with (info.description says so).
ANYWHERE = {404: "not-found", 405: "method-not-allowed", 408: "timeout", 413: "too-large", 417: "malformed",
            501: "malformed", 503: "unavailable"}
# Refused by the HTTP library before the service sees a request: no problem documents.
BY_LIBRARY = {400, 413, 414, 431, 505}

# What no test can bring about, with the reason.
NOT_EXERCISED = {500: "a fault of the service itself: whoever can provoke one mends it"}


class Mismatch(AssertionError):
    """The service and its description do not agree."""


# --- the description -----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def raw_document():
    """openapi.yaml as it stands."""
    with open(ROOT / "openapi.yaml", "rb") as f:
        return yaml.load(f, openapi_embed.Loader)


@functools.lru_cache(maxsize=None)
def document():
    """The same without references: each is replaced by what it refers to; siblings of one stay beside it in an allOf."""
    source, done = raw_document(), {}

    def target(reference):
        if reference not in done:
            node = source
            for part in reference.removeprefix("#/").split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
            done[reference] = resolve(node)
        return done[reference]

    def resolve(node):
        if isinstance(node, list):
            return [resolve(v) for v in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            rest = {k: resolve(v) for k, v in node.items() if k not in ("$ref", "description")}
            base = target(node["$ref"])
            return {"allOf": [base], **rest} if rest else base
        return {k: resolve(v) for k, v in node.items()}

    return resolve(source)


@functools.lru_cache(maxsize=None)
def _templates():
    """(pattern, template, number of parameters), literal paths first."""
    found = []
    for template in document()["paths"]:
        parts = re.split(r"\{[^}]+\}", template)
        found.append((re.compile("[^/]+".join(re.escape(p) for p in parts) + r"\Z"), template, len(parts)))
    return sorted(found, key=lambda f: f[2])


def find_template(path):
    """The path template of a path, or None."""
    return next((template for pattern, template, _ in _templates() if pattern.match(path)), None)


def operations():
    """{(METHOD, template): {status: response}}."""
    return {(method.upper(), template): {int(s): r for s, r in item[method]["responses"].items()}
            for template, item in document()["paths"].items() for method in METHODS if method in item}


# --- values --------------------------------------------------------------------------------------------------------------


def _float(text):
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]*[1-9]", text):
        raise Mismatch(f"{text} is no number in its shortest form")
    return Decimal(text)


def _int(text):
    if text == "-0":
        raise Mismatch("a negative zero")
    return int(text)


def _constant(text):
    raise Mismatch(f"{text} is no JSON")


def _object(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Mismatch(f"a member twice among {[k for k, _ in pairs]}")
    return members


def _sent(text):
    """A number as a client may write it: the value counts."""
    sign, digits, exponent = Decimal(text).as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(kept)
    if not kept:
        return 0
    if 0 <= exponent < 40:
        return int(kept + "0" * exponent) * (-1 if sign else 1)
    return Decimal((sign, tuple(map(int, kept)), exponent))


def loads(body):
    """Strict and exact: decimals as Decimal, in their shortest form, no member twice, UTF-8."""
    return json.loads(body.decode("utf-8"), parse_float=_float, parse_int=_int, parse_constant=_constant,
                      object_pairs_hook=_object)


formats = jsonschema.FormatChecker(formats=())


def _format(name):
    def register(function):
        formats.checks(name, raises=ValueError)(lambda value: not isinstance(value, str) or function(value))
        return function
    return register


@_format("date")
def _is_date(value):
    return len(value) == 10 and bool(datetime.date.fromisoformat(value))


@_format("date-time")
def _is_time(value):
    return bool(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")))


@_format("uuid")
def _is_uuid(value):
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value))


@_format("uri")
def _is_uri(value):
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+", value))


@_format("uri-reference")
def _is_uri_reference(value):
    return not re.search(r"[\s<>\"\\^`{|}]", value)


@_format("json-pointer")
def _is_pointer(value):
    return bool(re.fullmatch(r"(/([^~/]|~[01])*)*", value, re.S))


def _decimals(_, most, instance, __):
    if isinstance(instance, Decimal) and -instance.as_tuple().exponent > most:
        yield jsonschema.ValidationError(f"{instance} has more than {most} decimals")


Validator = validators.extend(jsonschema.Draft202012Validator, {"x-decimals": _decimals})


def validate(schema, value, what):
    """Raises Mismatch with every error of the value."""
    errors = sorted(Validator(schema, format_checker=formats).iter_errors(value), key=lambda e: list(map(str, e.path)))
    if errors:
        lines = "\n".join(f"  at /{'/'.join(map(str, e.absolute_path))}: {e.message[:500]}" for e in errors[:20])
        raise Mismatch(f"{what} is not as openapi.yaml says\n{lines}")


def _typed(schema, text):
    """A parameter's or header's text as the value that its schema speaks of."""
    kind = _kind(schema)
    if kind == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return Decimal(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _kind(schema):
    return schema.get("type") or next((_kind(s) for s in schema.get("allOf", ()) if _kind(s)), None)


def _split(text):
    """The values of a list parameter: commas separate, a backslash keeps what follows."""
    values = [""]
    for piece in re.findall(r"\\.|,|[^\\,]+", text, re.S):
        if piece == ",":
            values.append("")
        else:
            values[-1] += piece.removeprefix("\\")
    return values


# --- one answer ----------------------------------------------------------------------------------------------------------

_recorded = set()


def _record(method, template, status):
    path, line = os.environ.get("LODEBASE_OPENAPI_EXERCISED"), f"{method} {template} {status}"
    if path and line not in _recorded:
        _recorded.add(line)
        with open(path, "a", encoding="ascii") as f:
            f.write(line + "\n")


def _header_map(headers):
    """Names in lower case; values of one that stands several times are joined."""
    joined = {}
    for name, value in headers.items() if hasattr(headers, "items") else headers:
        name = name.lower()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _check_headers(response, headers, dry_run):
    documented = {name.lower(): header for name, header in response.get("headers", {}).items()}
    for name, value in headers.items():
        if name in documented:
            validate(documented[name]["schema"], _typed(documented[name]["schema"], value), f"header {name}")
        elif name not in TRANSPORT_HEADERS:
            raise Mismatch(f"header {name}: {value} is not documented")
    for name, header in documented.items():
        if header.get("required") and name not in headers:
            raise Mismatch(f"header {name} is missing")
    for name in {"etag", "location"} & set(documented):
        if dry_run == (name in headers):
            raise Mismatch(f"header {name} {'stands in the answer of a dry run' if dry_run else 'is missing'}")


def partial(schema, asked):
    """The schema of records of which only some fields were asked for: by itself, in a page, in GeoJSON."""
    for name in {"items", "features", "properties"} & set(schema.get("properties", {})):  # of a list, of a feature in it
        below = schema["properties"][name]
        below = {**below, "items": partial(below["items"], asked)} if "items" in below else partial(below, asked)
        return {**schema, "properties": {**schema["properties"], name: below}}
    missing = [f for f in asked if f not in schema["properties"]]
    if missing:
        raise Mismatch(f"fields {missing} were taken and are not documented")
    return {"type": "object", "required": asked, "additionalProperties": False,
            "properties": {f: schema["properties"][f] for f in asked}}


def _check_body(response, headers, body, query, what):
    content = response.get("content")
    if not content:
        if body:
            raise Mismatch(f"a body where none is documented: {body[:200]!r}")
        return
    media = headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in content:
        raise Mismatch(f"content type {media or 'none'} is not among {sorted(content)}")
    schema = content[media]["schema"]
    fields = _split(query["fields"]) if "fields" in query else None
    if media == "application/json" or media.endswith("+json"):
        if fields and media != "application/problem+json":
            schema = partial(schema, fields)
        validate(schema, loads(body), what)
        return
    validate(schema, body.decode("utf-8"), what)
    if "x-line" in schema:
        if body and not body.endswith(b"\n"):
            raise Mismatch("the last line has no end")
        line_schema = partial(schema["x-line"], fields) if fields else schema["x-line"]
        for number, line in enumerate(body.splitlines(), 1):
            validate(line_schema, loads(line), f"{what}, line {number}")


def _parameters(template, method):
    item = document()["paths"][template]
    return {(p["in"], p["name"]): p for p in item.get("parameters", []) + item[method.lower()].get("parameters", [])}


def _check_taken(template, method, query):
    """A query that was answered well is a documented one."""
    parameters = _parameters(template, method)
    for name, text in query.items():
        parameter = parameters.get(("query", name))
        if not parameter:
            raise Mismatch(f"parameter {name} was taken and is not documented")
        schema = parameter["schema"]
        value = [_typed(schema["items"], v) for v in _split(text)] if _kind(schema) == "array" else _typed(schema, text)
        validate(schema, value, f"parameter {name}, which was taken,")


def _problem(slug, status):
    schema = document()["components"]["schemas"]["Problem"]
    consts = {"status": {"const": status}, "type": {"const": f"/problems/{slug}"}}
    headers = dict(document()["components"]["responses"]["Malformed"]["headers"])
    for name, needed in (("Allow", 405), ("Retry-After", 503)):
        if status == needed:
            headers[name] = document()["components"]["headers"][name]
    return {"headers": headers, "content": {"application/problem+json": {"schema": {"allOf": [schema], "properties": consts}}}}


def check(request_method, url_path_with_query, request_headers, status, headers, body, request_body=None):
    """Raises Mismatch where an answer is not as openapi.yaml says.

    url_path_with_query as sent ("/v1/stakes?limit=2"), headers as a mapping or as pairs, bodies as bytes. With a
    request_body, one that was accepted (2xx) must be as documented too.
    """
    path, _, query_text = url_path_with_query.partition("?")
    what = f"{request_method} {url_path_with_query[:300]} -> {status}:"
    query = dict(urllib.parse.parse_qsl(query_text, keep_blank_values=True))
    headers, sent = _header_map(headers), _header_map(request_headers or {})
    template = find_template(path)
    method = "GET" if request_method == "HEAD" else request_method
    item = document()["paths"].get(template, {})
    operation = item.get(method.lower()) if method.isupper() else None

    if status in BY_LIBRARY and "x-request-id" not in headers and headers.get("content-type") != "application/problem+json":
        return
    if operation and str(status) in operation["responses"]:
        response = operation["responses"][str(status)]
        if request_method != "HEAD":
            _record(method, template, status)
    elif method == "OPTIONS" and status == 204:  # the same everywhere
        response = document()["components"]["responses"]["OptionsRecord"]
    elif status in ANYWHERE and not (operation and status in (404, 405)):
        response = _problem(ANYWHERE[status], status)
    elif status == 400 and not operation:  # framing, before the address counts
        response = _problem("malformed", status)
    else:
        raise Mismatch(f"{what} the status is not documented for {method} {template or 'this address'}")
    try:
        _check_headers(response, headers, query.get("dry_run") == "true")
        if request_method == "HEAD":
            if body:
                raise Mismatch("a body in an answer to HEAD")
        else:
            _check_body(response, headers, body, query, "the body")
        if operation and 200 <= status < 300 and method != "OPTIONS":
            _check_taken(template, method, query)
            media = sent.get("content-type", "").split(";")[0].strip().lower()
            if request_body and media.endswith("json") and media in operation.get("requestBody", {}).get("content", {}):
                validate(operation["requestBody"]["content"][media]["schema"],
                         json.loads(request_body, parse_float=_sent, parse_int=_sent), "the request, which was taken,")
    except Mismatch as e:
        raise Mismatch(f"{what} {e}") from None


# --- the end of a run ----------------------------------------------------------------------------------------------------


def unexercised(path):
    """What is documented and was never seen, as "METHOD template status"."""
    with open(path, encoding="ascii") as f:
        seen = set(f.read().splitlines())
    documented = [f"{method} {template} {status}" for (method, template), responses in operations().items()
                  for status in responses if status not in NOT_EXERCISED]
    return [line for line in documented if line not in seen]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    missing = unexercised(sys.argv[1])
    for line in missing:
        print(f"documented and never exercised: {line}")
    for status, reason in NOT_EXERCISED.items():
        print(f"{status} is not asked for: {reason}")
    print(f"openapi.yaml: {len(operations())} operations, {sum(map(len, operations().values()))} statuses, "
          f"{len(missing)} never exercised")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
