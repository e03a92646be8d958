"""What a signal without a message changes. Pure."""

from zrg_dagster.core.intake.notices import TROUBLE
from zrg_dagster.core.providers.records import SignalRecord


def is_stop(signal: SignalRecord) -> bool:
    """Vendor unsubscribes and hard bounces stop a person; a soft bounce or a delivery status does not."""
    return signal.kind == "opt_out" or (signal.kind == "bounce" and signal.value == "hard")


def has_effect(signal: SignalRecord) -> bool:
    """Whether a delivery that carries only this signal leaves anything behind."""
    return is_stop(signal) or signal.kind == "connection_accepted" or signal.kind in TROUBLE
