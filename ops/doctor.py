"""recourse doctor: checks an installation line by line, with what to do about each failure."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import smtplib
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import asyncpg
import redis
import typer
from pydantic import ValidationError
from rich.console import Console

from app.clock import wall_now
from app.documents.store import open_store
from app.gates.licences import BANDS, endings, licences_of
from app.law.retention import terms
from app.settings import Settings
from app.settings_checks import is_placeholder
from ops import migrations
from ops.binaries import NoServerProgram
from ops.check import Check, State
from ops.doctor_documents import check_documents, check_mails
from ops.doctor_doors import check_archive, check_post
from ops.local import (
    Installation,
    NotHere,
    complete,
    local_installation,
    setting_variable,
)
from ops.servers import ServerFailed
from ops.system_libraries import install_line, missing_libraries

POSTGRES_MIN = 150_000  # server_version_num of 15.0
# Older patch releases parse mail addresses and headers wrongly (CVE-2023-27043 and others).
PYTHON_FLOORS = {(3, 11): (3, 11, 15), (3, 12): (3, 12, 13)}
SKEW_SECONDS_WARN, SKEW_SECONDS_FAIL = 1.0, 5.0  # leases and signatures are compared across hosts
DISK_BYTES_WARN, DISK_BYTES_FAIL = 5 * 1024**3, 512 * 1024**2
CONNECT_SECONDS = 5.0
ZONES = ("Europe/Helsinki", "Europe/London", "America/New_York", "Pacific/Auckland")
TOOL_VARIABLES = {"RECOURSE_EMBEDDED_POSTGRES", "RECOURSE_EMBEDDED_REDIS", "RECOURSE_PYTHON"}
FONTS = Path(__file__).resolve().parent.parent / "letters" / "fonts"
MARKS = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]FAIL[/red]"}


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    shown = ".".join(map(str, version[:3]))
    if version < (3, 11):
        return Check("Python", "fail", shown, "install Python 3.11 or newer")
    floor = PYTHON_FLOORS.get((version[0], version[1]))
    if floor and version < floor:
        wanted = ".".join(map(str, floor))
        return Check("Python", "warn", shown, f"{wanted} or newer mends holes in its mail parser")
    return Check("Python", "ok", shown)


def check_names() -> Check:
    """A misspelt setting is ignored without a word; so it is named here."""
    known = {setting_variable(name) for name in Settings.model_fields} | TOOL_VARIABLES
    unknown = sorted(
        name for name in os.environ if name.startswith("RECOURSE_") and name not in known
    )
    if unknown:
        fix = "docs/configuration.md lists the names"
        return Check("names of settings", "warn", f"unknown: {', '.join(unknown)}", fix)
    return Check("names of settings", "ok", "all known")


def check_time_zones() -> Check:
    missing = []
    for zone in ZONES:
        try:
            zoneinfo.ZoneInfo(zone)
        except zoneinfo.ZoneInfoNotFoundError:
            missing.append(zone)
    if missing:
        return Check("time zones", "fail", f"missing {', '.join(missing)}", "install tzdata")
    return Check("time zones", "ok", f"{len(ZONES)} of {len(ZONES)} looked up")


def check_libraries() -> Check:
    missing = missing_libraries()
    if missing:
        return Check("PDF libraries", "fail", f"missing {', '.join(missing)}", install_line())
    return Check("PDF libraries", "ok", "Pango, HarfBuzz and Fontconfig load")


def check_fonts(folder: Path = FONTS) -> Check:
    fonts = [path for path in folder.rglob("*") if path.suffix in (".ttf", ".otf", ".woff2")]
    if not fonts:
        return Check("fonts", "fail", f"none in {folder.name}", "check out the project whole")
    return Check("fonts", "ok", f"{len(fonts)} bundled")


def check_secrets(settings: Settings) -> Check:
    wrong = []
    if is_placeholder(settings.secret_key):
        wrong.append("RECOURSE_SECRET_KEY is a placeholder")
    if settings.key_file is None:
        if settings.keys is None:
            wrong.append("neither RECOURSE_KEY_FILE nor RECOURSE_KEYS is set")
    elif not os.access(settings.key_file, os.R_OK):
        wrong.append("RECOURSE_KEY_FILE names no readable file")
    elif settings.key_file.stat().st_mode & 0o077:
        wrong.append("the key file can be read by others (chmod 600)")
    if not wrong:
        return Check("secrets", "ok", "set, none is a placeholder")
    state: State = "fail" if settings.is_production else "warn"
    return Check("secrets", state, "; ".join(wrong), "see docs/configuration.md")


def check_data_folder(settings: Settings) -> Check:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir) as probe:
            probe.write(b"recourse")
    except OSError as problem:
        fix = f"let this user write in {settings.data_dir}, or set RECOURSE_DATA_DIR"
        return Check("data folder", "fail", problem.strerror or "cannot be written", fix)
    return Check("data folder", "ok", str(settings.data_dir))


def check_disk(settings: Settings, free: int | None = None) -> Check:
    if free is None:
        existing = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
        free = shutil.disk_usage(existing).free
    fact = f"{free / 1024**3:.1f} GB free"
    if free < DISK_BYTES_FAIL:
        return Check("disk", "fail", fact, "make room: documents and the database stop soon")
    if free < DISK_BYTES_WARN:
        return Check("disk", "warn", fact, "make room")
    return Check("disk", "ok", fact)


def check_public_url(settings: Settings) -> Check:
    parts = urlsplit(settings.public_url)
    if not parts.hostname:
        return Check("public address", "fail", settings.public_url, "set RECOURSE_PUBLIC_URL")
    if settings.is_production and parts.scheme != "https":
        return Check("public address", "fail", settings.public_url, "it must be https")
    return Check("public address", "ok", settings.public_url)


def check_mail(settings: Settings) -> Check:
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    kind = smtplib.SMTP_SSL if settings.smtp_tls else smtplib.SMTP
    try:
        with kind(settings.smtp_host, settings.smtp_port, timeout=CONNECT_SECONDS) as server:
            server.ehlo()
            if settings.smtp_starttls and not server.has_extn("starttls"):
                return Check("mail server", "fail", f"{place} offers no STARTTLS", "another port?")
    except (OSError, smtplib.SMTPException) as problem:
        state: State = "fail" if settings.is_production else "warn"
        fix = "set RECOURSE_SMTP_HOST and RECOURSE_SMTP_PORT"
        return Check("mail server", state, f"{place}: {type(problem).__name__}", fix)
    return Check("mail server", "ok", place)


def check_redis(settings: Settings) -> Iterator[Check]:
    if settings.redis_url is None:
        yield Check("Redis", "fail", "not set", "set RECOURSE_REDIS_URL")
        return
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=CONNECT_SECONDS) as client:
            facts = client.info()
    except redis.RedisError as problem:
        yield Check("Redis", "fail", type(problem).__name__, "start it, or mend RECOURSE_REDIS_URL")
        return
    yield Check("Redis", "ok", f"{facts.get('server_name', 'redis')} {facts['redis_version']}")
    policy = facts.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        fix = "maxmemory-policy noeviction: limits and wake-ups must not vanish"
        yield Check("Redis eviction", "fail", policy, fix)
    else:
        yield Check("Redis eviction", "ok", policy)


async def check_database(settings: Settings) -> list[Check]:
    """Version, schema and clock of the database, over one connection."""
    try:
        connection = await asyncpg.connect(settings.database_dsn, timeout=CONNECT_SECONDS)
    except (OSError, asyncpg.PostgresError, TimeoutError) as problem:
        fix = "start it, or mend RECOURSE_DATABASE_URL"
        return [Check("PostgreSQL", "fail", type(problem).__name__, fix)]
    try:
        version = await connection.fetchval("SELECT current_setting('server_version_num')::int")
        shown = await connection.fetchval("SELECT current_setting('server_version')")
        before = wall_now()
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        after = wall_now()
        revision = offset = None
        if await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
            revision = await connection.fetchval("SELECT version_num FROM alembic_version")
        if await connection.fetchval("SELECT to_regclass('clock_offset') IS NOT NULL"):
            offset = await connection.fetchval("SELECT seconds FROM clock_offset")
        role = await connection.fetchrow(
            "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user"
        )
        profile = await newest_profile(connection)
        mails = await check_mails(connection) if revision == migrations.head_revision() else None
    finally:
        await connection.close()
    return [
        Check("PostgreSQL", "ok", shown)
        if version >= POSTGRES_MIN
        else Check("PostgreSQL", "fail", shown, "15 or newer is needed"),
        check_role(role["rolname"], superuser=role["rolsuper"], production=settings.is_production),
        check_schema(revision, migrations.head_revision()),
        check_skew(before, theirs, after),
        check_business_time(settings, offset or 0),
        check_licences(profile, (after + timedelta(seconds=offset or 0)).date()),
        check_retention(profile),
        *([mails] if mails else []),
    ]


async def newest_profile(connection: asyncpg.Connection) -> dict[str, Any]:
    if not await connection.fetchval("SELECT to_regclass('agency_profiles') IS NOT NULL"):
        return {}
    query = "SELECT profile FROM agency_profiles ORDER BY version DESC LIMIT 1"
    profile: dict[str, Any] = json.loads(await connection.fetchval(query) or "{}")
    return profile


def check_retention(profile: dict[str, Any]) -> Check:
    """How long the bank's files are kept, and whether somebody stands behind that term."""
    country = str(profile.get("country") or "")
    term = terms().get(country)
    if term is not None and term.may_forget:
        return Check("bank files", "ok", f"kept {term.years} years ({term.law})")
    told = f"no reviewed term for {country}: they are kept for ever" if country else "no profile"
    return Check("bank files", "warn", told, "have app/law/data/retention.yaml reviewed")


def check_licences(profile: dict[str, Any], on: date) -> Check:
    """What the agency may do where, and what of it ends within 90 days."""
    if not profile:
        return Check("licences", "warn", "no agency profile", "an admin sets it: PUT /v1/agency")
    found = licences_of(profile)
    if not found:
        fix = "without one no money may be demanded; an admin enters them: PUT /v1/agency"
        return Check("licences", "warn", "none on record", fix)
    near = endings(profile, on)
    if near:
        told = "; ".join(f"{e.country} {e.what} {e.number} ends {e.last_day}" for e in near)
        return Check("licences", "warn", told, "renew it and enter it in the agency's profile")
    return Check("licences", "ok", f"{len(found)}, none ends within {BANDS[0]} days")


def check_role(name: str, *, superuser: bool, production: bool) -> Check:
    """A superuser can switch off the triggers that keep history and ledger as they were."""
    if not superuser:
        return Check("database user", "ok", f"{name}, no superuser")
    if not production:
        return Check("database user", "ok", f"{name}, a superuser: for trying out only")
    fix = f"ALTER ROLE {name} NOSUPERUSER, as another superuser"
    return Check("database user", "fail", f"{name} is a superuser", fix)


def check_schema(revision: str | None, head: str) -> Check:
    if revision == head:
        return Check("schema", "ok", f"at the newest revision {head}")
    fact = f"at {revision or 'nothing'}, the code needs {head}"
    return Check("schema", "fail", fact, "./run migrate")


def check_business_time(settings: Settings, offset_seconds: int) -> Check:
    """A moved clock would date real letters wrongly."""
    fact = f"{offset_seconds} s ahead of the real time"
    if offset_seconds and settings.is_production:
        return Check("business time", "fail", fact, "production must start on a fresh database")
    return Check("business time", "ok", fact if offset_seconds else "the real time")


def check_skew(before: datetime, theirs: datetime, after: datetime) -> Check:
    """The database's clock must stand between our two looks."""
    skew = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    fact = f"database and this host differ by {skew:.2f} s"
    if skew > SKEW_SECONDS_FAIL:
        return Check("clocks", "fail", fact, "run NTP on both: leases and signatures depend on it")
    if skew > SKEW_SECONDS_WARN:
        return Check("clocks", "warn", fact, "run NTP on both")
    return Check("clocks", "ok", fact)


def settings_problems(problem: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc']) or 'settings'}: {one['msg']}"
        for one in problem.errors()
    )


@contextlib.contextmanager
def installation() -> Iterator[Installation]:
    """The installation the environment names; missing servers are the embedded ones."""
    if complete(dict(os.environ)):
        # As the processes see it: nothing generated, nothing started.
        yield Installation(Settings(), dict(os.environ), None)
    else:
        with local_installation() as here:
            yield here


def examine() -> Iterator[Check]:
    """Every check, in the order in which one depends on the other."""
    yield check_python()
    yield check_time_zones()
    yield check_libraries()
    yield check_fonts()
    yield check_names()
    try:
        with installation() as here:
            yield Check("settings", "ok", f"environment {here.settings.environment}")
            yield from examine_installation(here.settings)
    except ValidationError as problem:
        yield Check("settings", "fail", settings_problems(problem), "see docs/configuration.md")
    except (NoServerProgram, ServerFailed, NotHere) as problem:
        yield Check(
            "servers", "fail", str(problem), "set RECOURSE_DATABASE_URL, RECOURSE_REDIS_URL"
        )


def examine_installation(settings: Settings) -> Iterator[Check]:
    yield check_secrets(settings)
    yield check_data_folder(settings)
    yield check_disk(settings)
    yield check_public_url(settings)
    yield from asyncio.run(check_database(settings))
    yield from check_redis(settings)
    yield check_mail(settings)
    yield asyncio.run(check_documents(open_store(settings)))
    yield check_post(settings)
    yield check_archive(settings)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Check this installation line by line; exit code 1 when something fails."""
    checks = []
    console = Console(highlight=False)
    for check in examine():
        checks.append(check)
        if not as_json:
            console.print(f"{MARKS[check.state]} {check.name}: {check.fact}", soft_wrap=True)
            if check.fix:
                console.print(f"     -> {check.fix}", soft_wrap=True)
    failed = sum(check.state == "fail" for check in checks)
    if as_json:
        document = {"ok": failed == 0, "checks": [asdict(check) for check in checks]}
        typer.echo(json.dumps(document, indent=2))
    raise typer.Exit(1 if failed else 0)
