"""The blocking session: its checks are a program in C, this gives it a database."""
import os
import subprocess

from driver import program


def test_session(cluster, base):
    done = subprocess.run([program("db_session_checks")], env={**os.environ, "DATABASE": cluster.conninfo(base)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
