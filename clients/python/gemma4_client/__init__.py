"""A client of Gemma 4's preprocessor on TensorFlow Serving or the embedded server; it needs grpcio and
protobuf, and neither TensorFlow nor NumPy.
"""

from gemma4_client.aio import AsyncClient
from gemma4_client.answers import Answer, Counts, Texts, Tokens, Version
from gemma4_client.client import Client
from gemma4_client.errors import (
    ClientError,
    DeadlineExceeded,
    InputError,
    Refused,
    RowError,
    Unavailable,
)
from gemma4_client.retries import Retries
from gemma4_client.signatures import Signature, Spec
from gemma4_client.tensor import Tensor

__all__ = [
    "Answer",
    "AsyncClient",
    "Client",
    "ClientError",
    "Counts",
    "DeadlineExceeded",
    "InputError",
    "Refused",
    "Retries",
    "RowError",
    "Signature",
    "Spec",
    "Tensor",
    "Texts",
    "Tokens",
    "Unavailable",
    "Version",
]
