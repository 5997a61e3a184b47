"""A render child: reads letters on standard input, writes PDFs to what was standard output.

It warms up, then locks itself in (no files to write, no sockets, no programs, bounded memory and
processor time) before the first foreign text arrives. Started only by `letters.pool`, as
`python -m letters.child PARENT_PID MEMORY_BYTES CPU_SECONDS`.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

from letters import errors, render, wire
from letters.papers import any_from_dict
from letters.specimen import specimen

PR_SET_PDEATHSIG: Final = 1  # prctl(2)
FORBIDDEN_EVENTS: Final = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "shutil.",
    "ctypes.dlopen",
    "urllib.",
    "ftplib.",
    "http.client.",
    "smtplib.",
    "webbrowser.",
    "pty.",
    "syslog.",
)


class LockedIn(OSError):
    """Something in the child tried to reach outside."""


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when its parent is gone, even by kill -9 (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit("the parent is gone")


def lock_in(folder: Path | None = None, size_max: int = 0) -> None:
    """From here on: no sockets, no programs, no writing; reading only what the code itself needs.
    A child of files reads and writes in its `folder`, files of `size_max` bytes at most.

    Two walls: an audit hook for whatever Python does, and kernel limits for the native
    libraries (files of size 0, no core dumps). An audit hook cannot be taken away again.
    """
    readable = tuple(
        str(Path(root).resolve()) + os.sep
        for root in {sys.prefix, sys.base_prefix, str(render.HERE), *sys.path}
        if root
    )
    writable = (str(folder.resolve()) + os.sep,) if folder else ()
    readable += writable
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_max, size_max))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int):
                return
            writing = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
            real = os.path.realpath(os.fsdecode(path))
            if not real.startswith(writable if writing else readable):
                raise LockedIn(f"a render child may not open {path!r}")
        elif event.startswith(FORBIDDEN_EVENTS):
            raise LockedIn(f"a render child may not do {event}")

    sys.addaudithook(hook)


def arm(cpu_seconds: int) -> None:
    """Gives the next job its processor budget; beyond it the kernel ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Rounded up: the limit counts whole seconds from the start of the process.
    until = int(used.ru_utime + used.ru_stime) + 1 + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def answer(message: dict[str, Any]) -> bytes:
    """One job: the frame with the PDF, or the frame with the refusal."""
    try:
        result = render.render(any_from_dict(message["content"]))
    except errors.LetterError as refusal:
        return wire.frame({"error": type(refusal).__name__, "fields": vars(refusal)})
    except RecursionError:
        return wire.frame(
            {"error": "RenderFailed", "fields": {"kind": "error", "detail": "too deeply nested"}}
        )
    return wire.frame({"sha256": result.sha256, "pages": result.pages}, result.pdf)


def read_exactly(source: BinaryIO, size: int) -> bytes | None:
    """`size` bytes, or None when the other side has closed."""
    data = source.read(size)
    return data if len(data) == size else None


def warm_up() -> None:
    """Loads engine, fonts and two languages; a template read later is inside the package."""
    render.render(specimen("formal_notice", "en"))
    render.render(specimen("complaint", "fi"))


def main(parent: int, memory_bytes: int, cpu_seconds: int) -> None:
    """Serves jobs until standard input closes. An exception that is no refusal ends the child:
    the pool reports it and starts a fresh one."""
    die_with_parent(parent)
    # The protocol gets a private descriptor; whatever prints goes to standard error.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warm_up()
    lock_in()
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    sink.write(wire.frame({"ready": True}))
    sink.flush()
    source = sys.stdin.buffer
    while (head := read_exactly(source, wire.LENGTH_BYTES)) is not None:
        body = read_exactly(source, wire.frame_length(head))
        if body is None:
            return
        message, _ = wire.message_of(body)
        arm(cpu_seconds)
        try:
            reply = answer(message)
        except (MemoryError, SystemError):
            # A native part that got no memory shows as SystemError ("error return without
            # exception set"). Nothing can be trusted now, not even an orderly exit.
            os._exit(MEMORY_EXIT)
        sink.write(reply)
        sink.flush()


MEMORY_EXIT: Final = 77  # exit status: the memory limit was met

if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
