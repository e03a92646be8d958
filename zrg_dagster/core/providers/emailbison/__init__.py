"""EmailBison: campaign e-mail."""
