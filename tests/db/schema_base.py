"""Migrated databases for the tests of the schema, and statements that write as the service does."""

import contextlib
import itertools
import subprocess
import uuid

import psycopg2

_numbers = itertools.count(1)


def migrate(binary, conninfo):
    return subprocess.run([binary, "migrate", "--database", conninfo], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)


@contextlib.contextmanager
def database(cluster, binary):
    """The name of a new, migrated database."""
    name = f"schema{next(_numbers)}"
    cluster.create_database(name)
    try:
        done = migrate(binary, cluster.conninfo(name))
        assert done.returncode == 0, done.stdout
        yield name
    finally:
        cluster.drop_database(name)


class Base:
    """A connection, in autocommit mode, as the service's role."""

    def __init__(self, cluster, name, role="lodebase_service"):
        self.connection = psycopg2.connect(cluster.conninfo(name), options="-c search_path=lodebase -c TimeZone=UTC")
        self.connection.autocommit = True
        if role:
            self.run(f"set role {role}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def run(self, sql, *parameters):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def one(self, sql, *parameters):
        rows = self.run(sql, *parameters)
        assert len(rows) == 1, rows
        return rows[0][0] if len(rows[0]) == 1 else rows[0]

    def shareholder(self, slug, **members):
        return self.insert("shareholder", {"slug": slug, "name": slug, "kind": "company"} | members)

    def project(self, slug, **members):
        return self.insert("project", {"slug": slug, "name": slug, "kind": "mine", "status": "operating"} | members)

    def stake(self, holder, issuer=None, project=None, **members):
        return self.insert("stake", {"holder_id": holder, "issuer_id": issuer, "project_id": project,
                                     "instrument": "common_equity", "stage": "closed"} | members)

    def insert(self, table, members):
        members = {"id": str(uuid.uuid4())} | members
        columns = ", ".join(f'"{c}"' for c in members)
        return self.one(f"insert into {table} ({columns}) values ({', '.join(['%s'] * len(members))}) returning id",
                        *members.values())

    def update(self, table, record, **members):
        """As the service does it, without the version the client knows; the new version."""
        sets = "".join(f', "{c}" = %s' for c in members)
        return self.one(
            f"update {table} set version = version + 1, known_xid = pg_current_xact_id(), known_epoch = epoch(), "
            f"updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond'){sets} where id = %s returning version",
            *members.values(), record)

    def delete(self, table, record):
        assert self.run(f"delete from {table} where id = %s", record) == 1
