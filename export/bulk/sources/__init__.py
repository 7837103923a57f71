"""What rows are read from: one file for each format."""
