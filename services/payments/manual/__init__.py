"""Money entered by hand: cheques, transfers, cash, reversals, reassignments."""
