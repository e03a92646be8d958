"""Who gets a workspace's review cards and digest: people of it, under the Slack id that they have now."""

from zrg_dagster.core.workspaces.access import Action, Role, allowed

# Whoever may decide about any lead; a setter decides, and sees, only what is assigned to them (DA-02).
_ANY_LEAD = ", ".join(
    f"'{role}'" for role in Role if role != Role.OWNER and allowed(role, Action.DECIDE_DRAFTS, assigned=False)
)


def recipients_sql(workspace: str, assignee: str | None = None) -> str:
    """SQL for the Slack ids as `text[]`. `workspace` and `assignee` are column expressions of our own statements.

    With `assignee` (the user whom a lead is assigned to, or NULL) only those who may decide about that lead.
    """
    may_decide = f"""
        AND (u.id = {assignee}
             OR EXISTS (SELECT FROM app.workspace o WHERE o.id = {workspace} AND o.owner_user_id = u.id)
             OR EXISTS (SELECT FROM app.member a WHERE a.workspace_id = {workspace} AND a.user_id = u.id
                        AND a.role IN ({_ANY_LEAD})))"""
    return f"""ARRAY(
        SELECT DISTINCT u.slack_user_id FROM app.slack_recipient r JOIN app.user u ON u.id = r.user_id
        WHERE r.workspace_id = {workspace} AND u.slack_user_id IS NOT NULL{may_decide if assignee else ""}
        ORDER BY 1)"""
