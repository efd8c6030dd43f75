"""The ownership register, built with ThreadSanitizer: one thread writes, two ask what each moment has, again and again."""
import os
import subprocess

from tsan import built


def test_the_register_under_threads():
    program = built("tests/graph/store_threads")
    with open(program, "rb") as f:
        assert b"__tsan_init" in f.read(), "built without ThreadSanitizer"
    done = subprocess.run([program, "6000"], capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "TSAN_OPTIONS": "halt_on_error=0:exitcode=66"})
    assert "ThreadSanitizer" not in done.stderr, done.stderr[:12000]
    assert done.returncode == 0, done.stderr
