"""What can be wrong with one row, as a table: a code for devices, a sentence for people."""

import enum
from collections.abc import Mapping

from graph_ops.config import SOFT_TOKEN_BUDGETS
from graph_ops.target import LITERT


class Fault(enum.IntEnum):
    """Codes of per-row faults. A code, once released, keeps its meaning."""

    NONE = 0
    IMAGE_UNDECODABLE = 1
    IMAGE_TOO_LARGE = 2
    IMAGE_TOO_THIN = 3
    IMAGE_COUNT = 4
    AUDIO_UNDECODABLE = 5
    AUDIO_FORMAT = 6
    AUDIO_TRUNCATED = 7
    AUDIO_EMPTY = 8
    AUDIO_COUNT = 9
    MEDIA_IN_RESPONSE = 10
    MEDIA_DO_NOT_FIT = 11
    TOKEN_ID_OUT_OF_RANGE = 12
    IMAGE_LIMIT = 13
    AUDIO_LIMIT = 14
    TEXT_LENGTH = 15
    AUDIO_LENGTH = 16
    SOFT_TOKENS = 17
    IMAGE_SIZE = 18
    AUDIO_VALUE = 19
    IMAGE_FILE_TYPE = 20
    AUDIO_FILE_TYPE = 21
    AUDIO_CODEC = 22
    AUDIO_TOO_SHORT = 23
    CHAT_EMPTY = 24
    CHAT_ROLE = 25
    CHAT_PART = 26
    CHAT_MEDIUM = 27
    CHAT_TOOL_TEXT = 28
    CHAT_DECLARATION = 29
    TOO_MANY_TOKENS = 30
    SPELLED_QUOTE = 31
    SOFT_TOKEN_BUDGET = 32
    VIDEO_COUNT = 33
    VIDEO_LIMIT = 34
    VIDEO_FRAME = 35
    VIDEO_SIZE = 36
    VIDEO_DOES_NOT_FIT = 37
    VIDEO_FRAME_INDICES = 38
    VIDEO_FPS = 39
    MEDIUM_NOT_READ = 40
    EMBEDDING_TASK = 41
    EMBEDDING_SIZE = 42
    MAX_NEW_TOKENS = 43
    STOP_COUNT = 44
    STOP_TEXT = 45
    POSITION = 46


SENTENCES: Mapping[Fault, str] = {
    Fault.IMAGE_FILE_TYPE: (
        "`images`: an image must be a JPEG, PNG, GIF, BMP or WebP file; got {0:file_type}, {1} bytes. "
        "{0:remedy}"
    ),
    Fault.IMAGE_UNDECODABLE: (
        "`images`: an image must be an intact JPEG, PNG, GIF, BMP or WebP file; got {0} bytes that do not "
        "decode. Re-encode it, for example as PNG."
    ),
    Fault.IMAGE_TOO_LARGE: (
        "`images`: an image must not exceed `max_image_pixels`; got one of height {0} and width {1}. "
        "Shrink it or raise `max_image_pixels`."
    ),
    Fault.IMAGE_TOO_THIN: (
        "`images`: an image must keep at least one soft token when its aspect ratio is kept; got one of "
        "height {0} and width {1}. Crop or pad it."
    ),
    Fault.IMAGE_COUNT: (
        "`prompts`: a prompt needs one `<|image|>` for each of its images; got {0} placeholder(s) and {1} "
        "image(s). Make them equal; in a dialogue an image is a part."
    ),
    Fault.AUDIO_FILE_TYPE: ("`audio`: a clip must be a WAV file; got {0:file_type}, {1} bytes. {0:remedy}"),
    Fault.AUDIO_UNDECODABLE: (
        "`audio`: a clip must be a RIFF WAVE file with `fmt ` and `data` chunks; got {0} bytes that are "
        "not. Convert it to 16-bit PCM WAV."
    ),
    Fault.AUDIO_CODEC: (
        "`audio`: a WAV file must hold integers, floats, A-law or mu-law; got {0:codec}, format tag {0}. "
        "Convert it to 16-bit PCM WAV, for example with `ffmpeg -i in.wav -c:a pcm_s16le out.wav`."
    ),
    Fault.AUDIO_FORMAT: (
        "`audio`: a WAV file must hold integers of 1 to 32 bits, floats of 32 or 64, A-law or mu-law, at 1 "
        "Hz "
        "to 768 kHz, under a consistent header; got format tag {0} with {1} bits. Convert it to 16-bit PCM "
        "WAV."
    ),
    Fault.AUDIO_TRUNCATED: (
        "`audio`: with `strict`, the `data` chunk must have the size that its header states; it states {0} "
        "bytes and {1} are there. Send the whole file, rewrite its header, or switch `strict` off."
    ),
    Fault.AUDIO_EMPTY: (
        "`audio`: a clip must have at least one sample; got {0}. Leave the clip and its `<|audio|>` out."
    ),
    Fault.AUDIO_TOO_SHORT: (
        "`audio`: a clip must be long enough for one soft token, {1} samples at 16 kHz (10 ms); got {0}. Pad "
        "it with silence, or leave the clip and its `<|audio|>` out."
    ),
    Fault.AUDIO_VALUE: (
        "`audio`: samples must be finite and within ±2**31, the range of 32-bit integers; got {0} that are "
        "not, the first at {1}. Scale the clip to -1…1 and replace NaN and infinities."
    ),
    Fault.AUDIO_COUNT: (
        "`prompts`: a prompt needs one `<|audio|>` for each of its clips; got {0} placeholder(s) and {1} "
        "clip(s). Make them equal; in a dialogue a clip is a part."
    ),
    Fault.MEDIA_IN_RESPONSE: (
        "`responses`: media belong in the prompt; got {0} placeholder(s) in a response, the first as "
        "token {1}. Move them to `prompts`."
    ),
    Fault.MEDIA_DO_NOT_FIT: (
        "`prompts`: all of a prompt's media must fit into the row; they end at token {0} of a row that holds "
        "{1}. Raise `sequence_length` or shorten the text before the last medium."
    ),
    Fault.TOO_MANY_TOKENS: (
        "`prompts`: a request must fit into the row, or its text is cut; it takes {0} tokens of a row that "
        "holds {1}. Raise `sequence_length` or shorten the text."
    ),
    Fault.SPELLED_QUOTE: (
        '`token_ids`: in a call, `<|"|>` must be the token; got {0} in the text of a call, of which {1} are '
        "the token, so that its strings cannot be told apart. Leave the call out, or let the model answer "
        "again."
    ),
    Fault.VIDEO_COUNT: (
        "`prompts`: a prompt needs one `<|video|>` for each of its videos; got {0} placeholder(s) and {1} "
        "video(s). Make them equal; in a dialogue a video is a part."
    ),
    Fault.VIDEO_LIMIT: (
        "`videos`: a prompt may have at most `max_videos_per_prompt` videos; got {0}, and the most is {1}. "
        "Send fewer or raise the limit."
    ),
    Fault.VIDEO_FRAME: (
        "`videos`: each frame that is taken must be {0:frame_rule}; frame {1} is not. {0:frame_remedy}"
    ),
    Fault.VIDEO_SIZE: (
        "`video_sizes`: a video must have frames, and no more of them than its array; got {0}, and the most "
        "is {1}. Pass the true size, (0, 0, 0) for an empty slot."
    ),
    Fault.VIDEO_DOES_NOT_FIT: (
        "`prompts`: a row must hold all frames of its videos; they take a `sequence_length` of {0}, and it "
        "is {1}. Raise `sequence_length`, or make the preprocessor with fewer `num_frames` or "
        "`max_soft_tokens`."
    ),
    Fault.VIDEO_FRAME_INDICES: (
        "`frame_indices`: must be one number for each frame of the video, from 0 on and none less than that "
        "before it, or -1 throughout where they are not known; got {1} as number {0}. Pass the places that "
        "the frames had in their source."
    ),
    Fault.VIDEO_FPS: (
        "`fps`: must be a positive number of frames a second, or 0 where it is not known; got one that "
        "rounds to {0}. Pass the rate of the source."
    ),
    Fault.TOKEN_ID_OUT_OF_RANGE: (
        "`token_ids`: an id must be in [0, {1}); got {0}. Pass ids of this vocabulary."
    ),
    Fault.IMAGE_LIMIT: (
        "`images`: a prompt may have at most `max_images_per_prompt` images; got {0}, and the most is {1}. "
        "Send fewer or raise the limit."
    ),
    Fault.AUDIO_LIMIT: (
        "`audio`: a prompt may have at most `max_audio_clips_per_prompt` clips; got {0}, and the most is "
        "{1}. Send fewer or raise the limit."
    ),
    Fault.TEXT_LENGTH: (
        "`prompts`, `text`: a length must be from 0 to the number of bytes or ids given; got {0}, and {1} "
        "are given. Pass the true length, or take a signature for longer texts."
    ),
    Fault.AUDIO_LENGTH: (
        "`audio_lengths`: a length must be from 0 to the number of samples given; got {0}, and {1} are "
        "given. Pass the true length, or take a signature for longer clips."
    ),
    Fault.SOFT_TOKENS: (
        "`image_soft_tokens`, `audio_soft_tokens`: a count must be from 0 to the most that a medium takes; "
        "got {0}, and the most is {1}. Pass what `preprocess_image` and `preprocess_audio` return."
    ),
    Fault.SOFT_TOKEN_BUDGET: (
        f"`max_soft_tokens`: must be one of {', '.join(map(str, SOFT_TOKEN_BUDGETS))}, at most the "
        "preprocessor's own, which 0 stands for; got {0}, and its own is {1}. Choose a smaller one, or raise "
        "the image converter's `max_soft_tokens`."
    ),
    Fault.IMAGE_SIZE: (
        "`image_sizes`: a height and width must lie within the array that holds the image, on a device also "
        f"within {LITERT.longest_side:,} pixels; got {{0}} and {{1}}. Pass the true size, or 0, 0 for no "
        "image."
    ),
    Fault.CHAT_EMPTY: (
        "`roles`: a dialogue must have a message; got none in {0} place(s). Send at least one, such as a "
        "user's."
    ),
    Fault.CHAT_ROLE: (
        "`roles`: a role must be one word, such as `user` or `assistant`; that of message {0}, counted from "
        "0, is none. Name who speaks, without white space."
    ),
    Fault.CHAT_PART: (
        "`part_types`: a part must be `text`, `image`, `audio` or `video`, and empty where there is none; "
        "part {1} of message {0}, counted from 0, is none of them. Correct its type."
    ),
    Fault.CHAT_MEDIUM: (
        "`part_types`: a part must be text or a medium that this preprocessor reads; part {1} of message "
        "{0}, counted from 0, is another. Leave it out, or take a model that reads it."
    ),
    Fault.CHAT_TOOL_TEXT: (
        "`calls`, `responses`: must be native text: `call:` or `response:`, a name, and fields in braces; "
        "text {1} of message {0}, counted from 0, does not parse. Check its quotes and brackets."
    ),
    Fault.CHAT_DECLARATION: (
        "`tools`: must be native text: `declaration:`, a name, and fields in braces; tool {0}, counted from "
        "0, does not parse. Check its quotes and brackets."
    ),
    Fault.MEDIUM_NOT_READ: (
        "`texts`: a text must have no placeholder of a medium that is not read; got {0}, the first as token "
        "{1}. Leave it out, or embed with a converter for the medium."
    ),
    Fault.EMBEDDING_TASK: (
        '`tasks`: must be the name of a task, such as `query`, `document` or `STS`, or "" for none; got '
        "{0} bytes that are no such name. Correct its spelling; case counts."
    ),
    Fault.EMBEDDING_SIZE: (
        "`truncate_dim`: must be 0 or {1}, for all numbers of a vector, or 128, 256 or 512 if those are "
        "fewer; got {0}. Choose one of these."
    ),
    Fault.MAX_NEW_TOKENS: (
        "`max_new_tokens`: must be from 0 to {1}, the most that this export allows, which 0 stands for; got "
        "{0}. Ask for fewer, or export with a larger one."
    ),
    Fault.STOP_COUNT: (
        "`stop`: an answer may have at most {1} stop strings, in the first {1} places of its row; got {0}. "
        "Leave the rest out."
    ),
    Fault.STOP_TEXT: (
        "`stop`: a stop string must be UTF-8; the one in place {0}, counted from 0, has {1} bytes that are "
        "not. Send whole characters."
    ),
    Fault.POSITION: (
        "`position`: must be from 1 to {1}, the last place of a row; got {0}. Pass what `prefill` or "
        "`decode` returned for a good row, and end one that is full."
    ),
}


FRAME_RULES: Mapping[Fault, tuple[str, str]] = {
    Fault.IMAGE_UNDECODABLE: (
        "an intact JPEG, PNG, GIF, BMP or WebP file",
        "Re-encode it, for example as JPEG; a whole video file must be taken apart first.",
    ),
    Fault.IMAGE_TOO_LARGE: (
        "no larger than `max_image_pixels`",
        "Shrink it or raise `max_image_pixels`.",
    ),
    Fault.IMAGE_TOO_THIN: (
        "large enough for one soft token when its aspect ratio is kept",
        "Crop or pad it.",
    ),
    Fault.IMAGE_SIZE: (
        "within its array",
        "Pass the true size of the frames.",
    ),
}
"""What a frame must be, and what to do about one that is not, by the fault that it has as an image."""
