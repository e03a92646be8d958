"""`zrg member`: who works in a workspace."""

import typer

app = typer.Typer(help="Who works in a workspace.", no_args_is_help=True)
