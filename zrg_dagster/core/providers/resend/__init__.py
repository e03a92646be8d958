"""Resend: what became of notification mail."""
