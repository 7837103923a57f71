"""Sound files that the graph does not decode -> WAV files, through soundfile where it is installed.

For the Python class, the command line and the client: what people have is MP3, FLAC and Ogg. A signature of
an export never does this.
"""

import importlib
import io

from graph_ops.audio.riff import NAMES


def decodable_clip(data: bytes) -> bytes:
    """The file itself if it is empty, the graph decodes its kind, or libsndfile does not; else its samples as
    a WAV file.

    The samples are libsndfile's, float32 with the rate and the channels of the file.
    """
    if not data or data[:4] in NAMES:
        return data
    try:
        soundfile = importlib.import_module("soundfile")
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        stream = io.BytesIO()
        soundfile.write(stream, samples, rate, "FLOAT", format="WAV")
    except Exception:
        # Decoders raise whatever they like at a damaged file; what is no sound is refused by its name later.
        return data
    return stream.getvalue()
