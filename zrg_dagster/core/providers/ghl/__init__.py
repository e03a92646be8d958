"""GoHighLevel: SMS, contacts, calendars."""
