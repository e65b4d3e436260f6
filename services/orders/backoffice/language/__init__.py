"""The two languages: translations, formats, and the names of statuses, reasons and events."""
