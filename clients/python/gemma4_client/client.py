"""The client that waits in the thread that calls it."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from gemma4_client.answers import Answer, Counts, Texts, Tokens, Version
from gemma4_client.calls import Calls, Media
from gemma4_client.retries import DEFAULT_RETRIES, Retries
from gemma4_client.signatures import Signature
from gemma4_client.transport import Blocking, Settings, finished


class Client:
    """Asks one model of one server; threads may share it.

    Every method takes `timeout`, the seconds for all that it sends, retries included, in place of the
    client's. All of them raise `InputError` for arguments that the signature does not take, `Unavailable`
    where nobody answers or the model is not loaded, `DeadlineExceeded`, and `Refused` where the server
    answers with an error; all of these are `ClientError`. A fault of a row is no error: the answer has its
    status.

    Args:
        address: host:port of the gRPC of TensorFlow Serving, or of the embedded server.
        model: its name.
        version: its number; None is the highest that serves.
        label: of a version instead, such as "stable".
        timeout: seconds for a call.
        retries: when to send a request again.
        credentials: of TLS, `grpc.ssl_channel_credentials()`; None for a connection without.
        metadata: pairs that are sent with every request, for example a token.

    Raises:
        InputError: a setting out of its range.
    """

    def __init__(
        self,
        address: str,
        model: str = "gemma4",
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30,
        retries: Retries = DEFAULT_RETRIES,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> None:
        settings = Settings(address, model, version, label, timeout, retries, credentials, metadata)
        self._blocking = Blocking(settings)
        self._calls = Calls(self._blocking, settings)

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        outputs: Sequence[str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        """Runs any signature.

        Args:
            signature: one of `signatures()`.
            inputs: of each its value: nested lists, a Tensor, or what has a buffer, such as NumPy's arrays.
            outputs: names of those to send back; None for all. Statuses are sent in any case.
            timeout: seconds for this call.
        """
        return finished(self._calls.predict(signature, inputs, outputs, timeout=timeout))

    def generate_preprocess(
        self,
        prompts: Sequence[str | bytes],
        images: Media | None = None,
        audio: Media | None = None,
        *,
        outputs: Sequence[str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> Answer:
        """Rows to generate from, by the signature for what is passed: `generate_preprocess_text`, `_image` or
        `_audio`, or `generate_preprocess` for both and where there is no such one.

        Args:
            prompts: one a row, with a placeholder such as `<|image|>` for each file.
            images: of each row its files (JPEG, PNG, …); rows may have different numbers of them.
            audio: of each row its WAV files.
            outputs: names of the tensors to send back; None for all.
            timeout: seconds for this call.
            more: inputs that an export takes beside these, for example `max_soft_tokens`.
        """
        return finished(
            self._calls.generate_preprocess(prompts, images, audio, outputs=outputs, timeout=timeout, **more)
        )

    def preprocess(
        self,
        prompts: Sequence[str | bytes],
        responses: Sequence[str | bytes],
        images: Media | None = None,
        audio: Media | None = None,
        *,
        outputs: Sequence[str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> Answer:
        """Rows to train on, with labels and weights; arguments as of `generate_preprocess`, and responses."""
        return finished(
            self._calls.preprocess(
                prompts, responses, images, audio, outputs=outputs, timeout=timeout, **more
            )
        )

    def count_tokens(
        self,
        prompts: Sequence[str | bytes],
        image_sizes: Sequence[Sequence[tuple[int, int]]] | None = None,
        audio_lengths: Sequence[Sequence[int]] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Counts:
        """How many tokens requests take, without their files.

        Args:
            prompts: one a row.
            image_sizes: of each row the (height, width) of its images.
            audio_lengths: of each row the samples of its clips, at 16 kHz.
            timeout: seconds for this call.
            more: inputs that an export takes beside these.
        """
        return finished(
            self._calls.count_tokens(prompts, image_sizes, audio_lengths, timeout=timeout, **more)
        )

    def tokenize(self, texts: Sequence[str | bytes], *, timeout: float | None = None) -> Tokens:
        """The ids of texts."""
        return finished(self._calls.tokenize(texts, timeout=timeout))

    def detokenize(self, token_ids: Sequence[Sequence[int]], *, timeout: float | None = None) -> Texts:
        """The texts of ids; rows may have different lengths."""
        return finished(self._calls.detokenize(token_ids, timeout=timeout))

    def generate_postprocess(
        self, token_ids: Any, padding_mask: Any, *, timeout: float | None = None
    ) -> Texts:
        """What a model generated: int32 ids [B, S], and a mask that is True on those to read."""
        return finished(self._calls.generate_postprocess(token_ids, padding_mask, timeout=timeout))

    def signatures(self, *, timeout: float | None = None) -> dict[str, Signature]:
        """Inputs and outputs of each signature, as the server says them now."""
        return finished(self._calls.signatures(timeout=timeout))

    def versions(self, *, timeout: float | None = None) -> list[Version]:
        """The state of each version of the model."""
        return finished(self._calls.versions(timeout=timeout))

    def ready(self, *, timeout: float | None = None) -> bool:
        """Whether the version that this client asks serves; asked once, without retries."""
        return finished(self._calls.ready(timeout=timeout))

    def close(self) -> None:
        """Closes the connection."""
        self._blocking.channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
