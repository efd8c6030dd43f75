"""Every statement that the program can send prepares against a migrated database, composed ones too, and its parameters and
columns are those of the field tables."""

import os
import subprocess

from schema_base import database


def test_statements(cluster, binary):
    program = os.path.join(os.path.dirname(binary), "..", "..", "tests", "db", "db_statements")
    with database(cluster, binary) as name:
        done = subprocess.run([program, cluster.conninfo(name)], capture_output=True, text=True, check=False)
        # the search path of the owner's session is set by the program itself
        assert done.returncode == 0, done.stdout + done.stderr
