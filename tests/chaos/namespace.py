"""A small disk for a test: a tmpfs in a mount namespace of its own, which only the test and what it starts can see."""
import ctypes
import os
import threading

import pytest

CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 1 << 18


def on_small_disk(directory, megabytes, body):
    """Runs body() in a thread that sees a tmpfs of that size at `directory`; skips where this account may not mount."""
    libc = ctypes.CDLL(None, use_errno=True)
    outcome = []

    def call(name, result):
        if result != 0:
            raise PermissionError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")

    def run():
        try:
            call("unshare", libc.unshare(CLONE_NEWNS))
            call("mount", libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
            call("mount", libc.mount(b"tmpfs", os.fsencode(directory), b"tmpfs", 0, f"size={megabytes}m,mode=1777".encode()))
        except PermissionError as e:
            outcome.append(pytest.skip.Exception(f"no small disk can be mounted here: {e}"))
            return
        try:
            body()
        except BaseException as e:  # handed to the caller's thread
            outcome.append(e)
    thread = threading.Thread(target=run)  # a namespace is a thread's: it ends with it and what was started from it
    thread.start()
    thread.join()
    if outcome:
        raise outcome[0]


class Filler:
    """Takes all room there is, but for what it is told to leave."""

    def __init__(self, directory):
        self.directory, self.path = directory, os.path.join(directory, "filler")

    def fill(self, leave=0):
        disk = os.statvfs(self.directory)
        with open(self.path, "wb") as f:
            os.posix_fallocate(f.fileno(), 0, disk.f_bavail * disk.f_frsize - leave)

    def free(self):
        os.unlink(self.path)
