"""`recourse`: what an operator or developer types. Adding a command is one line below."""

from __future__ import annotations

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ProgrammingError

from app.settings import Settings
from ops.binaries import NoServerProgram
from ops.commands import (
    audit,
    bank,
    clock,
    config,
    demo,
    documents,
    explain,
    law,
    letters,
    mail,
    money,
    openapi,
    playbook,
    post,
    serve,
    up,
    winddown,
)
from ops.doctor import doctor, settings_problems
from ops.local import NotHere
from ops.servers import ServerFailed

UNDEFINED_TABLE = "42P01"  # PostgreSQL, appendix A

app = typer.Typer(
    help="Recourse: the back office of a refund-recovery agency.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold secrets and personal data
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(serve.api)
app.command()(serve.worker)
app.command()(serve.migrate)
app.command()(config.config)
app.command()(explain.explain)
app.command()(openapi.openapi)
app.command()(doctor)
app.command()(winddown.winddown)
app.add_typer(clock.group, name="clock")
app.add_typer(audit.group, name="audit")
app.add_typer(law.group, name="law")
app.add_typer(playbook.group, name="playbook")
app.add_typer(letters.group, name="letters")
app.add_typer(documents.group, name="documents")
app.add_typer(mail.group, name="mail")
app.add_typer(bank.group, name="bank")
app.add_typer(money.group, name="money")
app.add_typer(post.group, name="post")


def main() -> None:
    """Run one command; what an operator can mend is one line instead of a traceback."""
    try:
        app()
    except (NoServerProgram, ServerFailed, NotHere) as problem:
        typer.echo(str(problem), err=True)
        raise SystemExit(1) from None
    except ProgrammingError as problem:
        if getattr(problem.orig, "sqlstate", "") != UNDEFINED_TABLE:
            raise
        typer.echo("This database has no tables: run `./run recourse migrate` first.", err=True)
        raise SystemExit(1) from None
    except ValidationError as problem:
        if problem.title != Settings.__name__:
            raise  # a defect of ours, not of somebody's settings
        typer.echo(settings_problems(problem), err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
