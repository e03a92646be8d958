"""`zrg workspace`: workspaces as reviewed files."""

import typer

app = typer.Typer(help="Workspaces as reviewed files.", no_args_is_help=True)
