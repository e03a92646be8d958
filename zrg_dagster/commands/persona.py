"""`zrg persona`: voices that drafts are written in."""

import typer

app = typer.Typer(help="Voices that drafts are written in.", no_args_is_help=True)
