"""What importing a bank's day costs against the least that could be done with the same file.

`python -m bench.bank [--quick]` writes camt.053 files of growing size, each entry as a bank writes
a credit with payer, reference and text. The floor is lxml's iterparse taking eight fields of each
entry and one COPY of them into a table without a key: no check, no sum, no ledger, no seal. Ours is
the whole import: sealed file, gate, movements, balanced postings, balances. Floor and import take
turns in one run; memory is the highest of a process of its own that does nothing else.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy import text

from app.banking.importing import import_file, open_bank_account, store_file
from app.banking.reading.reader import read_file
from app.clock import wall_now
from app.crypto import Keyring
from app.db import Database
from app.ids import new_id
from bench import here
from ops.processes import ROOT

SIZES: Final = (1_000, 10_000, 100_000)
QUICK_SIZES: Final = (1_000, 10_000)
SECONDS_MAX: Final = 60.0
MEMORY_MAX: Final = 300.0  # megabytes
RATIO_MAX: Final = 6.0
FLAT_MAX: Final = 1.5  # cost of an entry at the largest size against the smallest
IBAN: Final = "FI2112345600000785"
KEYRING: Final = Keyring({"bench": bytes(32)}, "bench", bytes(32))
FIELDS: Final = ("amount", "side", "day", "bank_ref", "end_to_end", "name", "account", "text")
_SPACE: Final = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"


def write_file(path: Path, entries: int) -> None:
    """A day of credits, about 800 bytes each."""
    amounts = [1_000 + at * 7_919 % 50_000 for at in range(entries)]
    with path.open("w", encoding="utf-8") as out:
        out.write(
            '<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:'
            'camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id>'
            f"<ElctrncSeqNb>1</ElctrncSeqNb><Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        )
        for code, minor in (("OPBD", 0), ("CLBD", sum(amounts))):
            out.write(
                f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}"
                "<Dt><Dt>2026-03-02</Dt></Dt></Bal>"
            )
        out.writelines(_entry(at, minor) for at, minor in enumerate(amounts))
        out.write("</Stmt></BkToCstmrStmt></Document>")


def _amount(minor: int) -> str:
    return f'<Amt Ccy="EUR">{minor // 100}.{minor % 100:02}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'


def _entry(at: int, minor: int) -> str:
    ref = f"2603021234NTRF{at:08}"
    return (
        f"\n<Ntry><NtryRef>{at}</NtryRef>{_amount(minor)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>"
        f"2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt><AcctSvcrRef>{ref}"
        "</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd>"
        f"</Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><AcctSvcrRef>{ref}</AcctSvcrRef>"
        f"<EndToEndId>E2E{at:010}</EndToEndId></Refs>{_amount(minor)}<RltdPties><Dbtr><Pty><Nm>"
        f"Payer number {at % 997}</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000"
        "</IBAN></Id></DbtrAcct></RltdPties><RltdAgts><DbtrAgt><FinInstnId><BICFI>COBADEFFXXX</BICFI>"
        "</FinInstnId></DbtrAgt></RltdAgts><RmtInf><Ustrd>Refund for booking"
        f" {at} of March</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def _bare_rows(path: Path) -> Iterator[tuple[Any, ...]]:
    # lxml is loaded when it is needed, here as in the reader.
    from lxml import etree

    inside = "NtryDtls/TxDtls/".replace("/", f"/{_SPACE}")
    paths = [
        "Amt", "CdtDbtInd", "BookgDt/Dt", "AcctSvcrRef", f"{inside}Refs/EndToEndId",
        f"{inside}RltdPties/Dbtr/Pty/Nm", f"{inside}RltdPties/DbtrAcct/Id/IBAN",
        f"{inside}RmtInf/Ustrd",
    ]  # fmt: skip
    full = [
        "/".join(p if p.startswith("{") else _SPACE + p for p in one.replace(_SPACE, "").split("/"))
        for one in paths
    ]
    for _, node in etree.iterparse(str(path), tag=f"{_SPACE}Ntry"):
        amount, side, day, *rest = (node.findtext(p) for p in full)
        yield int(str(amount).replace(".", "")), side, date.fromisoformat(str(day)), *rest
        node.clear()


async def floor_seconds(url: str, path: Path) -> dict[str, float]:
    """Bare iterparse and one COPY."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "CREATE TEMP TABLE bare (amount bigint, side text, day date, bank_ref text,"
            " end_to_end text, name text, account text, text text)"
        )
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        began, used = time.perf_counter(), processor(pid)
        await connection.copy_records_to_table("bare", records=_bare_rows(path), columns=FIELDS)
        return {"seconds": time.perf_counter() - began, "processor": processor(pid) - used}
    finally:
        await connection.close()


def processor(server_pid: int) -> float:
    """Processor seconds of this process and of its server process (on this machine), so far: what
    others do at the same time does not count."""
    spent = Path(f"/proc/{server_pid}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + sum(map(int, spent[11:13])) / os.sysconf("SC_CLK_TCK")


async def import_seconds(url: str, path: Path) -> dict[str, float]:
    """The import as POST /v1/bank/statements does it: kept, read, posted."""
    database = Database(url, pool_size=1)
    try:
        now = wall_now()
        async with database.transaction() as session:
            await open_bank_account(
                session, account_id=new_id(), book="client", holder="Bench", number=IBAN,
                currency="EUR", at=now,
            )  # fmt: skip
            pid = int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)
        began, used = time.perf_counter(), processor(pid)
        with path.open("rb") as raw:
            async with database.transaction() as session:
                await store_file(session, KEYRING, raw, at=now)
            kept = time.perf_counter()
            documents = await asyncio.to_thread(read_file, raw)
            read = time.perf_counter()
            async with database.transaction() as session:
                done = await import_file(
                    session, KEYRING, raw, actor="bench", at=now, documents=documents
                )
            assert done.state == "posted", done
        posted = time.perf_counter()
        return {
            "kept": kept - began, "read": read - kept, "posted": posted - read,
            "seconds": posted - began, "processor": processor(pid) - used,
            "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }  # fmt: skip
    finally:
        await database.close()


def _alone(url: str, path: Path) -> dict[str, float]:
    """The import in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bank", "--import", url, str(path)],
        cwd=ROOT, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found: dict[str, float] = orjson.loads(done.stdout)
    return found


def main(quick: bool = False) -> dict[str, Any]:
    """`rows` by size with the floor and ours in seconds; `ratio`, `processor_ratio` (of processor
    time, ours and the server's), `seconds`, `megabytes` of the
    largest; `flat` is its cost of an entry against that of the smallest."""
    sizes = QUICK_SIZES if quick else SIZES
    rows = []
    with here.place("bank", providers="fake") as where, tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            path = Path(folder) / f"{size}.xml"
            write_file(path, size)
            with here.copies(where, [f"bank_{size}"]) as (url,):
                floor = here.run(floor_seconds(url, path))
                ours = _alone(url, path)
                again = here.run(floor_seconds(url, path))
                least = {name: min(floor[name], again[name]) for name in floor}
            rows.append(
                {"size": size, "bytes": path.stat().st_size, "floor": least["seconds"],
                 "floor_processor": least["processor"], **ours}
            )  # fmt: skip
    last, first = rows[-1], rows[0]
    return {
        "rows": rows, "ratio": last["seconds"] / last["floor"], "seconds": last["seconds"],
        "processor_ratio": last["processor"] / last["floor_processor"],
        "megabytes": last["megabytes"],
        "flat": (last["seconds"] / last["size"]) / (first["seconds"] / first["size"]),
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    print("importing one camt.053, seconds (floor: bare iterparse and COPY of the same file)")
    print(
        "   entries     MB   floor    ours   ratio |    kept    read  posted |  us/entry  MB held"
        " | processor: floor    ours   ratio"
    )
    for row in found["rows"]:
        print(
            f"{row['size']:9,}{row['bytes'] / 1e6:7.1f}{row['floor']:8.2f}{row['seconds']:8.2f}"
            f"{row['seconds'] / row['floor']:8.1f} |{row['kept']:8.2f}{row['read']:8.2f}"
            f"{row['posted']:8.2f} |{row['seconds'] / row['size'] * 1e6:10.0f}"
            f"{row['megabytes']:9.0f} |{row['floor_processor']:17.2f}{row['processor']:8.2f}"
            f"{row['processor'] / row['floor_processor']:8.1f}"
        )


if __name__ == "__main__":
    if "--import" in sys.argv:
        address, file = sys.argv[-2:]
        print(orjson.dumps(here.run(import_seconds(address, Path(file)))).decode())
    else:
        show(main(quick="--quick" in sys.argv))
