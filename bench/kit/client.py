"""One request at a time, for what is not measured by wrk."""
import http.client
import json
import os
import time


def ask(child, method, path, body=None, headers=None, timeout=600):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", child.port, timeout=timeout, blocksize=1 << 20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def get_json(child, path):
    status, _, body = ask(child, "GET", path)
    if status != 200:
        raise RuntimeError(f"GET {path} of {child.name}: {status} {body[:500]!r}")
    return json.loads(body)


def import_file(child, key, path):
    """Sends the NDJSON file; (seconds, the answer)."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson",
               "Content-Length": str(os.path.getsize(path))}
    with open(path, "rb") as body:
        start = time.monotonic()
        status, _, answer = ask(child, "POST", "/v1/import", body, headers)
        seconds = time.monotonic() - start
    if status != 200:
        raise RuntimeError(f"import into {child.name}: {status} {answer[:1000]!r}")
    return seconds, json.loads(answer)
