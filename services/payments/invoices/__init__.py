"""Invoices and credit notes: numbered without gaps, frozen when issued, shown as PDF with Factur-X."""
