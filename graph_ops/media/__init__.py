"""What a prompt may hold besides text: one table, and the slots of a batch."""
