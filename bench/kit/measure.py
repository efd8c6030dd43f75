"""A contest: everybody in turn, several rounds, so that what else happens on the machine hits all alike."""
import statistics
import time

from .processes import TICK, cpu_seconds


def postgres_cpu(base):
    """Seconds of the server's processes, those that ended included."""
    with open(f"/proc/{base.process.pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    ended = (int(fields[13]) + int(fields[14])) / TICK
    return ended + sum(map(cpu_seconds, base.cpu_pids()))


WARM_SECONDS = 40  # at most, where the machine is so busy that warming up takes that long


class Entry:
    """One that takes part: act(seconds, tag) measures it once; `child` is the process whose processor time counts; `warm` is how
    many answers it gives before it counts (what is compiled while it runs needs many)."""

    def __init__(self, name, act, child=None, warm=0):
        self.name, self.act, self.child, self.warm, self.runs, self.failed = name, act, child, warm, [], None

    def warm_up(self, tag, seconds):
        end, answers, n = time.monotonic() + seconds, 0, 0
        while n == 0 or (answers < self.warm and time.monotonic() < end):
            answers += self.act(3 if self.warm else 1, f"{tag}-{n}")["count"]
            n += 1

    def measure(self, base, seconds, tag):
        own = self.child.cpu() if self.child else 0
        server = postgres_cpu(base)
        run = self.act(seconds, tag)
        if self.child:
            run["cpu_us"] = (self.child.cpu() - own) * 1e6 / run["count"]
            self.child.empty_output()
        run["postgres_cpu_us"] = (postgres_cpu(base) - server) * 1e6 / run["count"]
        return run

    def median(self, key):
        values = [r[key] for r in self.runs if r.get(key) is not None]
        return statistics.median(values) if values else None

    def summary(self):
        if self.failed:
            return {"name": self.name, "failed": self.failed}
        rates = [r["rate"] for r in self.runs]
        return {"name": self.name, "rate": statistics.median(rates), "low": min(rates), "high": max(rates),
                **{k: self.median(k) for k in ("p50", "p99", "mean", "bytes", "cpu_us", "postgres_cpu_us", "seconds")},
                "runs": self.runs}


def contest(base, key, title, unit, entries, rounds, seconds, bars=None, warm=True):
    """Runs it; the first entry is who the ratios are of. `bars`: {name of another: the least ratio}. Who gave a wrong answer is
    left out from then on, and the result says so; a bar that cannot be judged is not met."""
    for i in range(-1 if warm else 0, rounds):
        for k, e in enumerate(entries):
            if e.failed:
                continue
            try:
                if i < 0:
                    e.warm_up(f"{key}-warm-{k}", WARM_SECONDS)
                else:
                    e.runs.append(e.measure(base, seconds, f"{key}-{i}-{k}"))
            except RuntimeError as problem:
                e.failed, e.runs = str(problem), []
    first = entries[0]
    result = {"key": key, "title": title, "unit": unit, "entries": [e.summary() for e in entries], "bars": []}
    for e, s in zip(entries[1:], result["entries"][1:]):
        if not first.failed and not e.failed:
            pairs = [a["rate"] / b["rate"] for a, b in zip(first.runs, e.runs)]
            s["ratio"] = {"median": statistics.median(pairs), "low": min(pairs), "high": max(pairs)}
        if e.name in (bars or {}):
            ratio = s.get("ratio", {}).get("median", 0)
            result["bars"].append({"of": first.name, "to": e.name, "at_least": bars[e.name], "is": ratio,
                                   "met": ratio >= bars[e.name]})
    return result
