"""The subcommands of `zrg`, one file per noun."""
