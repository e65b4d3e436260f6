"""Issued documents as others read them: lists, PDFs, files for the accountant, and the settings."""
