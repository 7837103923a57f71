"""Image files and pixels -> patches."""
