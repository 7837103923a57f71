"""Messages -> the text that a model was trained on, in string ops; and that text -> ids."""
