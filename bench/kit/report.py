"""The results as a table of plain text."""
import datetime
import os
import platform
import re
import subprocess

from .processes import run


def number(value, digits=3):
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def milliseconds(us):
    return "-" if us is None else f"{us / 1000:.2f}"


def table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]) for row in rows]
    return "\n".join(lines)


def contest_text(r):
    rows = [["", r["unit"], "lowest", "highest", "p50 ms", "p99 ms", "CPU us", "PostgreSQL us", f"{r['entries'][0]['name']} is", "range"]]
    failed = "".join(f"  {e['name']} left out: {' '.join(e['failed'].split())[:300]}\n" for e in r["entries"] if "failed" in e)
    for e in r["entries"]:
        if "failed" in e:
            continue
        ratio = e.get("ratio")
        rows.append([e["name"], number(e["rate"]), number(e["low"]), number(e["high"]),
                     milliseconds(e["p50"] if e["p50"] is not None else e["mean"]), milliseconds(e["p99"]),
                     number(e["cpu_us"]), number(e["postgres_cpu_us"]),
                     f"{ratio['median']:.2f} x" if ratio else "",
                     f"{ratio['low']:.2f}-{ratio['high']:.2f}" if ratio else ""])
    return f"{r['title']}\n{table(rows)}\n{failed}" + "".join(bar_text(b) for b in r["bars"])


def bar_text(b):
    return f"  bar: {b['of']} >= {b['at_least']:g} x {b['to']}: {b['is']:.2f} x, {'met' if b['met'] else 'NOT met'}\n"


def figures_text(r):
    """A block of plain figures: rows of [what, figure, note]."""
    text = f"{r['title']}\n{table([[str(c) for c in row] for row in r['rows']])}\n"
    for b in r.get("bars", []):
        text += f"  bar: {b['what']}: {b['is']}, {'met' if b['met'] else 'NOT met'}\n"
    return text


def result_text(r):
    return figures_text(r) if "rows" in r else contest_text(r)


def first_line(command):
    try:
        return run(command).strip().splitlines()[0]
    except (OSError, RuntimeError, IndexError):
        return "not installed"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(file.readline().split()[1]) // 1024
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": model.group(1) if model else platform.machine(), "cores": len(os.sched_getaffinity(0)),
        "memory_mb": memory, "kernel": platform.release(), "load_before": round(os.getloadavg()[0], 1),
    }


def versions(base, binary):
    return {
        "lodebase": first_line([binary, "version"]), "postgres": first_line([os.path.join(base.bin, "postgres"), "--version"]),
        "libmicrohttpd": first_line(["pkg-config", "--modversion", "libmicrohttpd"]), "node": first_line(["node", "--version"]),
        "go": first_line(["go", "version"]),
        "wrk": subprocess.run(["wrk", "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False).stdout.splitlines()[0].split(" [")[0],
    }


def head_text(report):
    m, v = report["machine"], report["versions"]
    return (f"Lodebase bench, {m['date']}{', quick: a smoke test, its figures are no measurements' if report['quick'] else ''}\n"
            f"{m['cores']} cores ({m['processor']}), {m['memory_mb']} MB, Linux {m['kernel']}, load {m['load_before']} before\n"
            + "".join(f"{name} {text}\n" for name, text in v.items())
            + f"each figure: median of {report['rounds']} rounds of {report['seconds']} s, everybody in turn; the ratio: median of the"
              " rounds' own ratios\n")
