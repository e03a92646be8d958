"""What counts as a booked meeting: one definition for every room that asks."""

# BK-1, BK-2: evidence is an appointment of the lead that was not canceled; showed and no-show count. A rescheduled row
# is the old half of a pair whose new half counts by itself. Lead status and sentiment are no evidence.
BOOKED_STATUSES = ("confirmed", "showed", "no_show")


def booked_sql(lead_id: str) -> str:
    """SQL condition: the lead whose id is the expression `lead_id` has a booked meeting."""
    statuses = ", ".join(f"'{status}'" for status in BOOKED_STATUSES)
    return f"EXISTS (SELECT FROM app.appointment b WHERE b.lead_id = {lead_id} AND b.status IN ({statuses}))"
