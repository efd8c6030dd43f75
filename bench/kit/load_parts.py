"""Import beside COPY."""
import os
import time

import psycopg2

from . import data
from .client import import_file
from .measure import Entry, contest


def imports(bench):
    s, base = bench.scale, bench.base
    path, copied = bench.file("stakes.ndjson"), bench.file("stakes.copy")
    data.write_ndjson(path, [("stakes", (data.stake(i, s.holders, s.projects) for i in range(s.stakes)))])
    columns = ", ".join(f'"{f["name"]}"' for f in bench.contract["stakes"]["fields"])
    children = {}

    def by_service(seconds, tag):
        """The time is that of the request; the process and its base are made for it alone."""
        del seconds
        base.clone(tag)
        service = children[tag] = bench.start_service(tag)
        before = service.cpu()
        took, answer = import_file(service, bench.key, path)
        cpu = service.cpu() - before
        assert answer["created"] == s.stakes, answer
        service.stop()
        if not os.path.exists(copied):
            with open(copied, "w", encoding="utf-8") as file, psycopg2.connect(base.conninfo(tag)) as c, c.cursor() as cursor:
                cursor.copy_expert(f"copy (select {columns} from lodebase.stake) to stdout", file)
            c.close()
        base.drop_database(tag)
        return {"rate": s.stakes / took, "count": s.stakes, "seconds": took, "cpu_us": cpu * 1e6 / s.stakes}

    def by_copy(table):
        def act(seconds, tag):
            del seconds
            base.clone(tag)
            base.execute("create table public.bare (like lodebase.stake including all)", dbname=tag)
            connection = psycopg2.connect(base.conninfo(tag), options="-c search_path=lodebase")
            with open(copied, encoding="utf-8") as file, connection.cursor() as cursor:
                start = time.monotonic()
                cursor.copy_expert(f"copy {table} ({columns}) from stdin", file, size=1 << 20)
                connection.commit()
                took = time.monotonic() - start
            connection.close()
            base.drop_database(tag)
            return {"rate": s.stakes / took, "count": s.stakes, "seconds": took}
        return act

    result = contest(base, "import", f"Import {s.stakes:,} stakes (NDJSON, {os.path.getsize(path) >> 20} MiB) into "
                     f"{s.holders + s.projects:,} records", "records/s",
                     [Entry("Lodebase", by_service), Entry("COPY into the same table", by_copy("lodebase.stake")),
                      Entry("COPY without any rule", by_copy("public.bare"))], min(bench.rounds, 2), 0, warm=False)
    rate = result["entries"][0].get("rate", 0)
    result["bars"].append({"of": "Lodebase", "to": "20,000 records/s", "at_least": 1, "is": rate / 20_000, "met": rate >= 20_000})
    yield result


PARTS = {"import": imports}
