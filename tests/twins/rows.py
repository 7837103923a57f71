"""Slow, readable rows: plain Python lists, one token at a time."""


def expand(ids, media):
    """`ids` with each placeholder replaced; `media` maps a placeholder to (opening, closing, counts in
    order).
    """
    queues = {placeholder: list(counts) for placeholder, (_, _, counts) in media.items()}
    out, starts, media_end = [], {placeholder: [] for placeholder in media}, 0
    for token in ids:
        if token not in media:
            out.append(token)
            continue
        opening, closing, _ = media[token]
        starts[token].append(len(out))
        out += [opening, *[token] * queues[token].pop(0), closing]
        media_end = len(out)
    return out, starts, media_end


def take_turns(prompt, response, budget, floor):
    """How much of each segment stays: one token each in turn, the prompt first, and the prompt at least
    `floor`.
    """
    kept_prompt = kept_response = 0
    while kept_prompt + kept_response < budget and (kept_prompt < prompt or kept_response < response):
        if kept_prompt < prompt:
            kept_prompt += 1
        if kept_response < response and kept_prompt + kept_response < budget:
            kept_response += 1
    if kept_prompt < floor:
        kept_prompt, kept_response = floor, min(response, budget - floor)
    return kept_prompt, kept_response


def pack(prompt, response, length, start, end, pad):
    """A row and the mask of its response."""
    row = ([] if start is None else [start]) + list(prompt)
    begin = len(row)
    row += list(response) + ([] if end is None else [end])
    mask = [begin <= place < len(row) for place in range(length)]
    return row + [pad] * (length - len(row)), mask
