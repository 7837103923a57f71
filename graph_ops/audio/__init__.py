"""WAV files and samples -> log-mel frames."""
