"""The `basira` command line.

Every file of `pipelines/commands` that declares a `command` is a sub-command named like the file. These files import
nothing heavy at the top, so that `--help` answers at once; a test holds that Prefect, MLflow and SHAP stay out.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import click

from pipelines import commands
from records.errors import BadInput

GUIDE = """\b
From nothing to an explained score:
  basira sample world            invent a country's records, with everything that goes wrong in real ones
  basira ingest world            take them in: accepted, quarantined or duplicate, row by row
  basira run everything          features, models, forecasts, the newest day assessed
  basira serve                   look at it in a browser

`basira demo` does all of it and tells you what came out. A model scores, a rule proposes, an officer decides."""


class _Commands(click.Group):
    """The sub-commands found in `pipelines/commands`; a `BadInput` becomes one clear sentence and exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"pipelines.commands.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"pipelines/commands/{cmd_name}.py must declare a click command named 'command'.")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadInput as error:
            click.echo(f"basira: {error}", err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo("basira: stopped. Nothing is half-done; run the same command again to go on.", err=True)
            ctx.exit(1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("trace"):
                raise
            click.echo(f"basira: this failed: {type(error).__name__}: {error}", err=True)
            click.echo("Nothing was lost. Run it again with `basira --trace …` for the whole trace.", err=True)
            ctx.exit(1)


@click.command(
    cls=_Commands, help=GUIDE, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option("--trace", is_flag=True, help="Show the whole trace of a failure.")
@click.version_option(package_name="basira", message="basira %(version)s")
def basira(trace: bool) -> None:
    """Before any sub-command: no dependency may call home."""
    from records.settings import quiet_dependencies, settings

    quiet_dependencies(settings())


def main() -> None:
    """Entry point of the `basira` script."""
    basira()
