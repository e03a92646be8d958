"""SmartLead: campaign e-mail of a workspace."""
