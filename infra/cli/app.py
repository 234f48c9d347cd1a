"""``sportello``: the desk from a terminal."""

import os
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from infra.cli import connect, explain, local, rehearse, threads, upkeep
from infra.cli.doctor import doctor
from infra.cli.duty import duty
from infra.cli.errors import explained
from infra.cli.faq import faq
from infra.cli.hook import connect_hook
from infra.cli.lint import lint
from infra.cli.new_channel import new_channel
from infra.cli.run import run
from infra.cli.work import Chosen


class Commands(TyperGroup):
    """Tells every error in one clear line and exits with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:
            if os.environ.get("SPORTELLO_TRACEBACK"):
                raise
            Console(stderr=True).print(Text(f"Error: {explained(error)}", "red"), soft_wrap=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A customer-care desk: the local one (`make run`), or with --stack one that is deployed.",
)


@app.callback()
def choose(
    context: typer.Context,
    stack: Annotated[
        str, typer.Option("--stack", metavar="NAME", envvar="SPORTELLO_STACK", help="A deployed stack.")
    ] = "",
    region: Annotated[str, typer.Option("--region", metavar="REGION", help="Where it is deployed.")] = "",
) -> None:
    context.obj = Chosen(stack, region)


app.command()(run)
app.command()(threads.threads)
app.command()(threads.thread)
app.command()(threads.reply)
app.command()(threads.hide)
app.command()(threads.claim)
app.command()(threads.resolve)
app.command()(threads.want)
app.command()(threads.language)
connect.app.command("hook")(connect_hook)
app.add_typer(connect.app, name="connect")
app.command()(doctor)
app.command()(local.say)
app.command()(local.clock)
app.command()(upkeep.check)
app.command()(duty)
app.command()(lint)
app.command()(faq)
app.command()(rehearse.simulate)
app.command()(rehearse.diff_desk)
app.command()(explain.explain)
app.command()(explain.export)
app.command()(upkeep.redrive)
app.command()(new_channel)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
