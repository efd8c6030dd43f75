"""Shared by the tests of the database engine."""
import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

_numbers = itertools.count(1)


@pytest.fixture
def base(cluster):
    """The name of an empty database with the schema and one table."""
    name = f"engine{next(_numbers)}"
    cluster.create_database(name)
    cluster.execute("create schema lodebase; create table lodebase.t (id int primary key, text text)", dbname=name)
    yield name
    cluster.drop_database(name)
