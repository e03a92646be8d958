"""Calendly: meetings."""
