"""What a Python caller passes -> the tensors of a signature, with a batch axis: the only place that knows of
lists, arrays and ranks.

    prompts  str | list | array | tensor     -> string [B]
    images   files (bytes) or pixels         -> string [B, I], or uint8 [B, I, H, W, 3] and `image_sizes`
    int32 [B, I, 2]
    audio    files (bytes) or samples        -> string [B, A], or float32 [B, A, T] and `audio_lengths` int32
    [B, A]
    max_soft_tokens  int | list | array      -> int32 [B, I]

Lists may hold media of different sizes, one or several a row, or none (`[]` or None). Rows that hold equally
many of one size keep that number of slots; otherwise a row gets as many slots as the preprocessor allows, as
in KerasHub.

| file | what it holds |
| --- | --- |
| `batch.py` | a whole call: its keys, and that all have one entry for each prompt |
| `texts.py` | prompts and responses |
| `forms.py` | what one image and one clip look like, and what is said of another shape |
| `items.py` | lists of files or arrays, padded to slots |
| `budgets.py` | what is chosen for the items that are there |
| `slots.py` | arrays, tensors and ragged tensors, brought to slots |
"""
