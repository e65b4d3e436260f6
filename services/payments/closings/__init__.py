"""The proof that the ledger is whole: chained entries, the day's closings, and their verification."""
