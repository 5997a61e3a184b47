"""House rules that import contracts cannot show, each a function from a source file to offences.

An offence is a line "path:line what". The rules are those of CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "workers", "letters", "ops", "bench", "migrations", "tests")

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
# Data written as Python: long on purpose, nothing to split.
DATA_FILES = frozenset({"tests/support/spoiled.py", "tests/api/test_finance_rules.py"})

WALL_CLOCK_CALLS = frozenset(
    {
        *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"),
        *("time.time", "time.time_ns"),
    }
)
COMMENT_REACH = 4  # lines; one comment speaks for a group of late imports
# Reading them takes long or needs system libraries: loaded where they are used.
HEAVY_LIBRARIES = frozenset(
    {
        *("weasyprint", "fontTools", "lxml", "sepaxml", "schwifty", "pikepdf", "obstore"),
        *("pyhanko", "pyhanko_certvalidator", "pkcs11"),  # 27 MB and a second
        "text_unidecode",  # 4.5 MB of tables
        "procrastinate",  # a floor of one benchmark, not needed by the others
    }
)
# One command must not pay for what another one loads: `up` is ready half a second earlier.
LATE_ROOMS = {"ops/commands/": frozenset({"app"})}
REASON = re.compile(r"#\s*(?:noqa|type:\s*ignore)[\w\[\],:-]*(?:\s[A-Z]+\d+,?)*\s*((?:#|- ).*)?$")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the project root, its text and its tree."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def is_test(self) -> bool:
        return self.path.startswith("tests/")

    def offence(self, node: ast.AST, what: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)} {what}"


Rule = Callable[[Source], Iterator[str]]


@cache
def sources(*rooms: str) -> tuple[Source, ...]:
    """Every Python file of these rooms, read once per process."""
    return tuple(
        Source(str(path.relative_to(ROOT)), path.read_text("utf-8"))
        for room in rooms or ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
    )


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; an empty text for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def one_place_commits(source: Source) -> Iterator[str]:
    """`.commit(` stands in app/db.py only; migrations and tests handle bare connections."""
    if source.path == "app/db.py" or source.path.startswith(("migrations/", "tests/", "bench/")):
        return
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "commit"
        ):
            yield source.offence(node, "commits")


def one_place_reads_the_clock(source: Source) -> Iterator[str]:
    """The wall clock is read in app/clock.py only; measuring spans (monotonic) is free."""
    if source.path == "app/clock.py" or source.path.startswith(
        "bench/"
    ):  # bare floors use none of ours
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in WALL_CLOCK_CALLS:
            yield source.offence(node, f"reads the clock: {dotted(node)}")


def pure_domain(source: Source) -> Iterator[str]:
    """In app/domain nothing is async and nothing is a float."""
    if not source.path.startswith("app/domain/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield source.offence(node, "is async")
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield source.offence(node, f"holds the float {node.value}")
        if isinstance(node, ast.Name) and node.id == "float":
            yield source.offence(node, "names float")


def short_functions(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX and source.path not in DATA_FILES:
                yield source.offence(node, f"{node.name} has {lines} lines")


def short_files(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    limit = TEST_FILE_LINES_MAX if source.is_test else FILE_LINES_MAX
    if lines > limit and source.path not in DATA_FILES:
        yield f"{source.path}:1 has {lines} lines"


def imported_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


def libraries_in_their_rooms(source: Source) -> Iterator[str]:
    """fastapi at the edge, stripe in its provider, the PDF engine in the renderer."""
    for node in ast.walk(source.tree):
        for module in imported_modules(node):
            library = module.split(".")[0]
            if library in LIBRARY_ROOMS and not LIBRARY_ROOMS[library](source.path):
                yield source.offence(node, f"imports {library}")


# What speaks HTTP besides the endpoints themselves.
EDGE_FILES = (
    "main.py",
    "problems.py",
    "deps.py",
    "bodies.py",
    "edge.py",
    "openapi.py",
    "system/docs.py",
)


def _edge(path: str) -> bool:
    inside = path.removeprefix("app/")
    return (
        inside in EDGE_FILES
        or inside.startswith(("web/", "http/"))
        or path.endswith("endpoints.py")
        or "/endpoints/" in path
        or path.startswith(("tests/", "bench/"))
    )


LIBRARY_ROOMS: dict[str, Callable[[str], bool]] = {
    "fastapi": _edge,
    "starlette": _edge,
    "stripe": lambda path: (
        path in ("workers/providers/stripe_api.py", "app/stripe_webhooks/signature.py")
    ),
    "pyhanko": lambda path: path == "letters/sealing.py",
    "pkcs11": lambda path: path == "letters/sealing.py",
    "weasyprint": lambda path: path == "letters/render.py" or path.startswith("bench/"),
}


def no_imports_inside_functions(source: Source) -> Iterator[str]:
    """Only heavy libraries are imported late, with the reason in a comment beside them."""
    lines = source.text.splitlines()
    late = HEAVY_LIBRARIES.union(
        *(names for room, names in LATE_ROOMS.items() if source.path.startswith(room))
    )
    for function in ast.walk(source.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            modules = imported_modules(node)
            if not modules:
                continue
            assert isinstance(node, ast.Import | ast.ImportFrom), "only these import"
            near = "".join(lines[max(node.lineno - 1 - COMMENT_REACH, 0) : node.lineno])
            heavy = all(module.split(".")[0] in late for module in modules)
            if not (heavy or source.is_test) or "#" not in near:
                yield source.offence(node, f"imports {', '.join(modules)} inside a function")


def no_swallowed_errors(source: Source) -> Iterator[str]:
    """`except Exception` raises again, or parks what it caught so that a person sees it. Workers
    may also go on with the next piece of work, and say in a comment why."""
    if source.is_test:
        return
    lines = source.text.splitlines()
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        broad = node.type is None or dotted(node.type) in ("Exception", "BaseException")
        above = lines[max(node.lineno - 2, 0)] + lines[node.lineno - 1]
        if broad and source.path.startswith("workers/") and "#" in above:
            continue
        if broad and not any(_raises_or_parks(inner) for inner in ast.walk(node)):
            yield source.offence(node, "catches everything and goes on")


def _raises_or_parks(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return "park" in dotted(node.func).rpartition(".")[2]
    return isinstance(node, ast.Raise)


def no_mocks(source: Source) -> Iterator[str]:
    """Fakes keep the real rules; mocks agree with whatever the code does."""
    if not source.is_test:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            for module in imported_modules(node):
                if module.startswith(("unittest.mock", "mock", "pytest_mock")):
                    yield source.offence(node, "imports mocks")
        if isinstance(node, ast.Attribute) and dotted(node) == "monkeypatch.setattr":
            yield source.offence(node, "replaces code under test")


def reasons_for_exceptions(source: Source) -> Iterator[str]:
    """`# noqa` and `# type: ignore` say why, in a second comment on the same line."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        found = REASON.match(token.string)
        if found and not found.group(1):
            yield f"{source.path}:{token.start[0]} {token.string} without a reason"


RULES: tuple[Rule, ...] = (
    one_place_commits,
    one_place_reads_the_clock,
    pure_domain,
    short_functions,
    short_files,
    libraries_in_their_rooms,
    no_imports_inside_functions,
    no_swallowed_errors,
    no_mocks,
    reasons_for_exceptions,
)
