"""Many records read at the same moment: the service asks for them by one statement, and everybody gets their own record."""
import json
import socket

from lodebase import NOBODY, project, shareholder, unique

ROUNDS = 8


def ask_at_once(service, targets, resets=()):
    """One connection each, all requests sent before the first answer is read: [(status, ETag, record)]. Those in `resets` go away
    instead of reading."""
    sockets = [socket.create_connection((service.host, service.port), timeout=30) for _ in targets]
    for s, target in zip(sockets, targets):
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: {service.host}\r\nConnection: close\r\n\r\n".encode())
    for i in resets:
        sockets[i].close()
    answers = []
    for i, s in enumerate(sockets):
        if i in resets:
            answers.append(None)
            continue
        data = b""
        while piece := s.recv(65536):
            data += piece
        s.close()
        head, body = data.split(b"\r\n\r\n", 1)
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        answers.append((int(head.split()[1]), fields.get("ETag"), json.loads(body)))
    return answers


def test_everybody_gets_their_own_record(service, api):
    holders = [api.post("/v1/shareholders", shareholder(), expect=201).json for _ in range(20)]
    holders[3] = api.patch(f"/v1/shareholders/{holders[3]['id']}", {"name": unique("changed")}, expect=200).json
    projects = [api.post("/v1/projects", project(operator_id=h["slug"], company_id=holders[0]["id"]), expect=201).json
                for h in holders[:10]]
    gone = api.post("/v1/shareholders", shareholder(), expect=201)
    api.delete(f"/v1/shareholders/{gone.json['id']}", match=gone.etag, expect=204)
    wanted = [(f"/v1/shareholders/{h[key]}", h) for h in holders for key in ("id", "slug")]
    wanted += [(f"/v1/projects/{p[key]}", p) for p in projects for key in ("id", "slug")]
    wanted += [(f"/v1/shareholders/{holders[5]['id'].upper()}", holders[5])]
    wanted += [(f"/v1/shareholders/{holders[7]['id']}", holders[7])] * 5  # the same one by several
    wanted += [(f"/v1/{resource}/{key}", None) for resource in ("shareholders", "projects")
               for key in (NOBODY, unique("nobody"), gone.json["id"], gone.json["slug"])]
    wanted += [(f"/v1/projects/{holders[0]['id']}", None)]
    resets = {4, 9, 30}
    for _ in range(ROUNDS):
        answers = ask_at_once(service, [target for target, _ in wanted], resets)
        for i, ((target, record), answer) in enumerate(zip(wanted, answers)):
            if i in resets:
                continue
            status, etag, body = answer
            if record is None:
                assert (status, body["type"].rsplit("/", 1)[-1]) == (404, "not-found"), target
            else:
                assert (status, etag, body) == (200, f'"{record["version"]}"', record), target
