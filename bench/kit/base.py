"""The private PostgreSQL, its databases, and the statements that the service sends."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests"))
from cluster import Cluster, wait_until  # pylint: disable=wrong-import-position

SETTINGS = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "300",
    "shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "work_mem": "16MB",
    "log_min_messages": "error",
}
# Made for the peers: ids like the service's, and records to refer to by number.
HELPERS = """
create function public.bench_uuid7() returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid $$;
create unlogged table public.bench_pick as
    select (row_number() over (order by slug))::int as n, id from lodebase.shareholder;
alter table public.bench_pick add primary key (n);
grant select on public.bench_pick to public;
analyze public.bench_pick;
"""
SESSION = {"search_path": "lodebase", "role": "lodebase_service", "TimeZone": "UTC"}


def session_options():
    return " ".join(f"-c {name}={value}" for name, value in SESSION.items())


class Base(Cluster):
    def __init__(self):
        super().__init__(settings=SETTINGS)

    def clone(self, name, of="small"):
        self.execute(f'create database "{name}" template "{of}"')

    def vacuum(self, name):
        self.execute("vacuum analyze", dbname=name)

    def column(self, name, sql):
        return [row[0] for row in self.execute(sql, dbname=name)]

    def cpu_pids(self):
        return [self.process.pid, *self.children()]

    # -- statements as sent

    def capture(self, act, wanted):
        """What the service sends while act() runs: the list of (sql, parameters) of the one backend that got a statement
        with `wanted` in it. Asked again until the servers have noticed that they are to log."""
        self.execute("alter system set log_statement = 'all'")
        self.execute("select pg_reload_conf()")
        try:
            return wait_until(lambda: self._seen_during(act, wanted), 20, f"a statement with {wanted!r} is logged")
        finally:
            self.execute("alter system reset log_statement")
            self.execute("select pg_reload_conf()")

    def _seen_during(self, act, wanted):
        size = os.path.getsize(self.log)
        act()
        with open(self.log, encoding="utf-8", errors="replace") as file:
            file.seek(size)
            by_backend = parse_log(file.read())
        for statements in by_backend.values():
            if any(wanted in sql for sql, _ in statements) and all(p is not None for _, p in statements):
                return statements
        return None


LINE = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] (LOG:  execute [^:]*: |DETAIL:  parameters: )(.*)$")
PARAMETER = re.compile(r"\$\d+ = (NULL|'((?:[^']|'')*)')")


def parse_log(text):
    """{pid: [(sql, [parameter or None, …])]}; the parameters are None where their line is not there yet."""
    found = {}
    for line in text.splitlines():
        m = LINE.match(line)
        if not m:
            continue
        pid, kind, rest = m.groups()
        if kind.startswith("LOG"):
            found.setdefault(pid, []).append((rest, [] if "$1" not in rest else None))
        elif found.get(pid):
            values = [None if p.group(1) == "NULL" else p.group(2).replace("''", "'") for p in PARAMETER.finditer(rest)]
            found[pid][-1] = (found[pid][-1][0], values)
    return found


def transaction_of(statements, last):
    """From the last write_begin to the statement with `last` in it."""
    begin = max(i for i, (sql, _) in enumerate(statements) if "write_begin(" in sql)
    end = next(i for i in range(begin, len(statements)) if last in statements[i][0])
    return statements[begin:end + 1]
