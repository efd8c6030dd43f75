"""The program built with ThreadSanitizer, in build/tsan. Run as a program it makes the build and says where it is."""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
BUILD = TOP / "build" / "tsan"


def run(*command):
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def built(program="src/app/lodebase"):
    given = os.environ.get("LODEBASE_TSAN_BIN")
    if given:
        return str(pathlib.Path(given).resolve().parents[2] / program)
    if not (BUILD / "build.ninja").exists():
        shutil.rmtree(BUILD, ignore_errors=True)
        shim = BUILD.with_name("tsan_join.o")
        BUILD.parent.mkdir(exist_ok=True)
        run("cc", "-O1", "-g", "-fPIE", "-c", str(HERE / "tsan_join.c"), "-o", str(shim))
        run("meson", "setup", str(BUILD), "--buildtype=debugoptimized", "-Db_sanitize=thread", "-Db_lundef=false",
            f"-Dc_link_args={shim}")
    run("ninja", "-C", str(BUILD), "--quiet", program)
    return str(BUILD / program)


if __name__ == "__main__":
    built("tests/graph/store_threads")
    print(built())
