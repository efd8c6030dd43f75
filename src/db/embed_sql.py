"""Turns sql/migrations and sql/queries into one C file: embed_sql.py SQL_DIR OUTPUT DEPFILE

Migrations are NNNN_name.sql, numbered 1, 2, 3 … without a gap. A queries file holds named statements:
    -- name: changes_after :many
    select …;
"""
import glob
import hashlib
import os
import re
import sys


def literal(text):
    """A C string literal, one line of it per line of text."""
    lines = text.splitlines(keepends=True) or [""]
    out = []
    for line in lines:
        escaped = "".join(
            {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}.get(c) or (c if " " <= c <= "~" else "".join(f"\\{b:03o}" for b in c.encode()))
            for c in line)
        out.append(f'"{escaped}"')
    return "\n\t  ".join(out)


def migrations(folder):
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "*.sql"))):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", os.path.basename(path))
        if not match:
            sys.exit(f"{path}: not named NNNN_name.sql")
        if int(match[1]) != len(found) + 1:
            sys.exit(f"{path}: number {len(found) + 1} comes next")
        with open(path, encoding="utf-8") as f:
            found.append((path, int(match[1]), match[2], f.read()))
    if not found:
        sys.exit(f"{folder}: no migrations")
    return found


def queries(folder):
    found, paths = {}, sorted(glob.glob(os.path.join(folder, "[a-z]*.sql")))
    for path in paths:
        with open(path, encoding="utf-8") as f:
            parts = re.split(r"^-- name: ([a-z][a-z0-9_]*) :(one|many|exec)\n", f.read(), flags=re.M)
        for name, sql in zip(parts[1::3], parts[3::3]):
            if name in found:
                sys.exit(f"{path}: {name} is there twice")
            found[name] = sql.strip().rstrip(";")
    return paths, found


def main(sql, output, depfile):
    steps = migrations(os.path.join(sql, "migrations"))
    paths, named = queries(os.path.join(sql, "queries"))
    out = ["/* Made by embed_sql.py. */", '#include "lodebase/db/migrate.h"', "", "const struct migration db_migrations[] = {"]
    for _, number, name, text in steps:
        digest = hashlib.sha256(text.encode()).hexdigest()
        out.append(f'\t{{ {number}, "{name}",\n\t  {literal(text)},\n\t  "{digest}" }},')
    out += ["};", "const size_t db_n_migrations = sizeof(db_migrations) / sizeof(db_migrations[0]);", ""]
    out.append("const struct named_query db_queries[] = {")
    for name in sorted(named):
        out.append(f'\t{{ "{name}",\n\t  {literal(named[name])} }},')
    # C wants at least one element; the count below does not know of it.
    out += ["\t{ 0, 0 },", "};", "const size_t db_n_queries = sizeof(db_queries) / sizeof(db_queries[0]) - 1;", ""]
    with open(output, "w", encoding="utf-8") as f:
        f.write("\n".join(out))
    # The folders too: a new file changes them.
    needs = [os.path.join(sql, "migrations"), os.path.join(sql, "queries")] + [s[0] for s in steps] + paths
    with open(depfile, "w", encoding="utf-8") as f:
        f.write(output + ": " + " ".join(n.replace(" ", "\\ ") for n in needs if os.path.exists(n)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
