"""The engine "sentencepiece": tensorflow-text's ops, with most words looked up before them."""
