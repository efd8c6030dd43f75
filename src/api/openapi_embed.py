#!/usr/bin/python3
"""Makes openapi.yaml part of the program: writes C string literals of its text and of the same document as compact JSON.

usage: openapi_embed.py VERSION openapi.yaml OUTPUT
"""
import json
import re
import sys

import yaml


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML 1.2's core schema, as other readers of OpenAPI have it: no dates, `no` and `on` are text, no merge keys."""

    yaml_implicit_resolvers = {}


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))


def exact_float(loader, node):
    """A number with decimals goes into JSON by Python's shortest text; refuse one that would come out as another."""
    value = float(node.value)
    if repr(value) != node.value:
        raise yaml.constructor.ConstructorError(None, None, f"{node.value} would become {value!r} in JSON", node.start_mark)
    return value


Loader.add_constructor("tag:yaml.org,2002:float", exact_float)


def unique_mapping(loader, node):
    """A key that stands twice would lose one of its values without a word."""
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands twice", key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor("tag:yaml.org,2002:map", unique_mapping)


def literal(data: bytes) -> str:
    """The bytes as adjacent C string literals, about a hundred characters each."""
    lines = []
    for start in range(0, len(data), 100):
        text = ""
        for byte in data[start:start + 100]:
            if byte in b'"\\':
                text += "\\" + chr(byte)
            elif 0x20 <= byte < 0x7F and byte != ord("?"):
                text += chr(byte)
            else:
                text += f"\\{byte:03o}"
        lines.append(f'\t"{text}"')
    return "\n".join(lines)


def main() -> int:
    version, source, output = sys.argv[1:]
    with open(source, "rb") as f:
        text = f.read()
    document = yaml.load(text, Loader)
    if document["info"]["version"] != version:
        sys.exit(f"{source}: info.version is {document['info']['version']}, the program's is {version}")
    compact = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    with open(output, "w", encoding="ascii") as f:
        f.write(f"#define OPENAPI_YAML \\\n{literal(text)}\n".replace('"\n\t"', '" \\\n\t"'))
        f.write(f"#define OPENAPI_JSON \\\n{literal(compact)}\n".replace('"\n\t"', '" \\\n\t"'))
    return 0


if __name__ == "__main__":
    sys.exit(main())
