"""Instantly: campaign e-mail of a workspace."""
