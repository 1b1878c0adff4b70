"""The verbs, gathered."""

from __future__ import annotations

import typer

from watchkeeper.cli import (
    backfill,
    backup,
    completion,
    demo,
    doctor,
    erase,
    importing,
    journal,
    keys,
    mcp,
    prices,
    restore,
    serve,
    settings,
    sql,
    users,
    version,
)

__all__ = ["application"]

application = typer.Typer(
    name="watchkeeper",
    help="Traces, cost and quality of AI calls, self-hosted. (stable) keeps its interface, (beta) may still change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 good, 2 configuration, 103 infrastructure.",
)
application.command("serve")(serve.serve)
application.command("demo")(demo.demo)
application.command("doctor")(doctor.doctor)
application.command("sql")(sql.sql)
application.command("mcp")(mcp.mcp)
application.command("erase")(erase.erase)
application.add_typer(importing.application, name="import")
application.add_typer(journal.application, name="journal")
application.add_typer(keys.application, name="keys")
application.add_typer(users.application, name="users")
application.add_typer(prices.application, name="prices")
application.add_typer(backfill.backfill, name="backfill")
application.command("backup")(backup.backup)
application.command("restore")(restore.restore)
application.command("settings")(settings.settings)
application.command("completion")(completion.completion)
application.command("version")(version.version)
