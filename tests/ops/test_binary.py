"""What a release build is hardened with, read off the binary, and that two builds of one commit are the same."""
import hashlib
import os
import platform
import re
import subprocess

import pytest

pytestmark = pytest.mark.slow
X86 = platform.machine() == "x86_64"


def out(*command):
    env = os.environ | {"LC_ALL": "C"}
    return subprocess.run([str(c) for c in command], env=env, stdout=subprocess.PIPE, text=True, check=True).stdout


def readelf(option, file):
    return out("readelf", "-W", option, file)


def features(file):
    """What the property note promises: IBT, SHSTK."""
    return set(re.findall(r"\b(IBT|SHSTK)\b", readelf("-n", file)))


@pytest.fixture(scope="module")
def program(releases):
    return releases[0] / "src" / "app" / "lodebase"


def test_position_independent(program):
    assert re.search(r"Type:\s+DYN", readelf("-h", program))
    assert re.search(r"FLAGS_1.*\bPIE\b", readelf("-d", program))


def test_relocations_are_read_only_and_bound_at_start(program):
    assert "GNU_RELRO" in readelf("-l", program)
    dynamic = readelf("-d", program)
    assert re.search(r"\(FLAGS\).*BIND_NOW", dynamic) and re.search(r"FLAGS_1.*\bNOW\b", dynamic)
    assert "TEXTREL" not in dynamic


def test_nothing_is_writable_and_executable(program):
    segments = re.findall(r"^  (LOAD|GNU_STACK)\s+(?:0x[0-9a-f]+\s+){5}([R ][W ][E ])", readelf("-l", program), re.M)
    assert {name for name, _ in segments} == {"LOAD", "GNU_STACK"}
    assert not [s for s in segments if "W" in s[1] and "E" in s[1]]
    assert [flags for name, flags in segments if name == "GNU_STACK"] == ["RW "]


def test_no_library_path(program):
    assert not re.search(r"RPATH|RUNPATH", readelf("-d", program))


def test_stack_protector(program):
    assert "__stack_chk_fail" in readelf("--dyn-syms", program)


def test_fortified(program):
    """Calls whose buffer's size the compiler can see are the checked ones; those without a bound are not used at all."""
    names = set(re.findall(r"FUNC.*\bUND\s+(\w+)", readelf("--dyn-syms", program)))
    assert {"__snprintf_chk", "__vsnprintf_chk"} <= names
    assert not names & {"gets", "sprintf", "vsprintf", "strcpy", "stpcpy", "strcat", "strncat"}


@pytest.mark.skipif(not X86, reason="reads x86 instructions")
def test_stack_clash_protection(program):
    """Frames of more than a page are touched page by page: gcc does that by an `or` of nothing into the stack."""
    code = out("objdump", "-d", "--no-show-raw-insn", program)
    assert re.search(r"\bor[ql]\s+\$0x0,(0x[0-9a-f]+)?\(%rsp\)", code)


@pytest.mark.skipif(not X86, reason="an x86 feature")
def test_control_flow_protection(program, releases):
    """All that is compiled here carries the marks. The note of the whole program needs them in the C library's start files
    too, which Debian's do not have; it is not forced by the linker, since it would promise what is not so."""
    objects = sorted(p for p in (releases[0] / "src").rglob("*.o") if "man" not in p.parent.name)
    assert len(objects) > 30
    assert not [p.name for p in objects if features(p) != {"IBT", "SHSTK"}]
    code = out("objdump", "-d", "--no-show-raw-insn", "--disassemble=main", program)
    assert re.search(r"<main>:\n\s+[0-9a-f]+:\s+endbr64", code)
    start = [features(out("gcc", f"-print-file-name={name}").strip()) for name in ("Scrt1.o", "crti.o", "crtn.o")]
    assert features(program) == set.intersection(*start)


def test_two_builds_are_identical(releases):
    digests = [hashlib.sha256((b / "src" / "app" / "lodebase").read_bytes()).hexdigest() for b in releases]
    assert digests[0] == digests[1]


def test_no_build_path_inside(releases):
    for build in releases:
        assert str(build.parents[1]).encode() not in (build / "src" / "app" / "lodebase").read_bytes()
