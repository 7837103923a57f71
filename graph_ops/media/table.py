"""The table of media. Whatever differs from medium to medium is read off it."""

from graph_ops.media.audio import AUDIO
from graph_ops.media.image import IMAGE
from graph_ops.media.medium import Medium
from graph_ops.media.video import VIDEO

MEDIA: tuple[Medium, ...] = (IMAGE, AUDIO, VIDEO)
"""In the order of arguments, features and status checks."""

BY_NAME = {medium.name: medium for medium in MEDIA}
