"""Slack: review cards and their clicks."""
