"""Whether a workspace has a vendor at all: asked first, so that nobody is asked about what it does not use."""


def is_connected_sql(workspace: str, provider: str) -> str:
    """SQL condition. `workspace` is a column expression of our own statement, `provider` one of our names."""
    return f"EXISTS (SELECT FROM app.integration WHERE workspace_id = {workspace} AND provider = '{provider}' AND is_active)"
