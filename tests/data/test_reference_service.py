"""The reference data in the program: an empty base starts with it in seconds, and importing it again changes nothing."""
from reference import DATA, FILES


def test_an_empty_base_starts_with_it_in_seconds(service, ask):
    assert service.seconds < 30, f"{service.seconds:.1f} s"  # with sanitizers, on a busy machine
    for resource, records in DATA.items():
        page = ask(resource, limit=1, count="exact", fields="id")
        assert page["total"] == len(records), resource


def test_importing_it_again_changes_nothing(service, ask):
    before = ask("claims", sort="-updated_at", limit=1)["items"]
    for _ in range(2):
        said = service.command("import", *map(str, FILES)).stdout
        assert f"{sum(map(len, DATA.values()))} unchanged" in said and "0 created" in said and "0 updated" in said, said
    assert ask("claims", sort="-updated_at", limit=1)["items"] == before
