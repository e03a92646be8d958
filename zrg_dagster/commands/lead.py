"""`zrg lead`: one person, one workspace: look, export, erase."""

import typer

app = typer.Typer(help="One person, one workspace: look, export, erase.", no_args_is_help=True)
