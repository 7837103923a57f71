"""The engine "builtin": SentencePiece's BPE in core ops, which LiteRT has too."""
