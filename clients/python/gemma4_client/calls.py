"""What a client asks of a server, written once for clients that block and for those that await."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from gemma4_client import answers
from gemma4_client.answers import Answer, Counts, Texts, Tokens, Version
from gemma4_client.errors import InputError, Refused, from_grpc
from gemma4_client.inputs import check_rows, padded, to_tensors
from gemma4_client.messages import MESSAGES
from gemma4_client.retries import Deadline, attempted
from gemma4_client.signatures import SIGNATURE_DEF, Signature, read_signatures
from gemma4_client.transport import Settings, Transport
from gemma4_client.wire import to_proto

Media = Sequence[Sequence[bytes]]
"""Files of each row."""
_NO_SIZE = {"image_sizes": (0, 0), "audio_lengths": 0}
"""Of an empty slot."""
_NOT_READY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)
"""What a server says that is not there, or loads its model."""
_STALE = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND")
"""Codes after which a model may have other signatures than it had."""


class Calls:
    """Asks one model of one server; each method's deadline is over all that it sends."""

    def __init__(self, transport: Transport, settings: Settings) -> None:
        self._transport, self._settings = transport, settings
        self._known: dict[str, Signature] | None = None

    async def predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        outputs: Sequence[str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        """See `Client.predict`."""
        return await self._predict(signature, inputs, self._deadline(timeout), outputs)

    async def generate_preprocess(
        self,
        prompts: Sequence[str | bytes],
        images: Media | None = None,
        audio: Media | None = None,
        *,
        outputs: Sequence[str] | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> Answer:
        """See `Client.generate_preprocess`."""
        deadline = self._deadline(timeout)
        media = {"images": images, "audio": audio}
        given = {name: files for name, files in media.items() if files is not None}
        suffix = {(): "_text", ("images",): "_image", ("audio",): "_audio"}.get(tuple(given), "")
        name = f"generate_preprocess{suffix}"
        if name not in await self._signatures(deadline):
            name = "generate_preprocess"
        inputs = await self._row_inputs(name, prompts, given, deadline)
        return await self._predict(name, inputs | more, deadline, outputs)

    async def preprocess(
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
        """See `Client.preprocess`."""
        deadline = self._deadline(timeout)
        media = {"images": images, "audio": audio}
        given = {name: files for name, files in media.items() if files is not None}
        inputs = await self._row_inputs("preprocess", prompts, given, deadline)
        inputs["responses"] = check_rows("responses", responses)
        return await self._predict("preprocess", inputs | more, deadline, outputs)

    async def count_tokens(
        self,
        prompts: Sequence[str | bytes],
        image_sizes: Sequence[Sequence[tuple[int, int]]] | None = None,
        audio_lengths: Sequence[Sequence[int]] | None = None,
        *,
        timeout: float | None = None,
        **more: Any,
    ) -> Counts:
        """See `Client.count_tokens`."""
        deadline = self._deadline(timeout)
        inputs = {"prompts": check_rows("prompts", prompts)} | more
        sizes = {"image_sizes": image_sizes, "audio_lengths": audio_lengths}
        taken = (await self._signature("count_tokens", deadline)).inputs
        for name, rows in sizes.items():
            if rows is not None or name in taken:
                none: list[list[Any]] = [[] for _ in prompts]
                inputs[name] = padded(name, none if rows is None else rows, _NO_SIZE[name], least=1)
        return answers.read_counts(await self._predict("count_tokens", inputs, deadline))

    async def tokenize(self, texts: Sequence[str | bytes], *, timeout: float | None = None) -> Tokens:
        """See `Client.tokenize`."""
        inputs = {"text": check_rows("texts", texts)}
        return answers.read_tokens(await self.predict("tokenize", inputs, timeout=timeout))

    async def detokenize(self, token_ids: Sequence[Sequence[int]], *, timeout: float | None = None) -> Texts:
        """See `Client.detokenize`."""
        rows = padded("token_ids", token_ids, 0)
        inputs = {"token_ids": rows, "lengths": [len(row) for row in token_ids]}
        return answers.read_texts(await self.predict("detokenize", inputs, timeout=timeout))

    async def generate_postprocess(
        self, token_ids: Any, padding_mask: Any, *, timeout: float | None = None
    ) -> Texts:
        """See `Client.generate_postprocess`."""
        inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
        return answers.read_texts(await self.predict("generate_postprocess", inputs, timeout=timeout))

    async def signatures(self, *, timeout: float | None = None) -> dict[str, Signature]:
        """See `Client.signatures`."""
        self._known = None
        return dict(await self._signatures(self._deadline(timeout)))

    async def versions(self, *, timeout: float | None = None) -> list[Version]:
        """See `Client.versions`."""
        request = self._request("GetModelStatusRequest")
        return answers.read_versions(await self._send("GetModelStatus", request, self._deadline(timeout)))

    async def ready(self, *, timeout: float | None = None) -> bool:
        """See `Client.ready`."""
        request = self._request("GetModelMetadataRequest", field=SIGNATURE_DEF)
        seconds = self._settings.timeout if timeout is None else timeout
        try:
            await self._transport.send("GetModelMetadata", request, seconds)
        except grpc.RpcError as error:
            if error.code() in _NOT_READY:
                return False
            raise from_grpc(error, self._settings.address, attempts=1, timeout=seconds) from error
        return True

    async def _predict(
        self,
        signature: str,
        inputs: Mapping[str, Any],
        deadline: Deadline,
        outputs: Sequence[str] | None = None,
    ) -> Answer:
        known = await self._signature(signature, deadline)
        request = self._request("PredictRequest", signature_name=signature)
        for name, tensor in to_tensors(signature, known, inputs).items():
            request.inputs[name].CopyFrom(to_proto(tensor))
        request.output_filter.extend(_wanted(signature, known, outputs))
        try:
            return answers.read_answer(await self._send("Predict", request, deadline))
        except Refused as refused:
            self._known = None if refused.code in _STALE else self._known
            raise

    async def _row_inputs(
        self, name: str, prompts: Sequence[str | bytes], media: Mapping[str, Media], deadline: Deadline
    ) -> dict[str, Any]:
        """Prompts and files as a signature takes them: a medium that it takes and that there are no files
        for has an empty slot in each row.
        """
        inputs: dict[str, Any] = {"prompts": check_rows("prompts", prompts)}
        taken = (await self._signature(name, deadline)).inputs
        for medium in ("images", "audio"):
            if medium in media or medium in taken:
                files = media.get(medium, [[] for _ in prompts])
                inputs[medium] = padded(medium, files, b"", least=1)
        return inputs

    async def _signature(self, name: str, deadline: Deadline) -> Signature:
        """The signature; a server is asked once more for one that it did not have."""
        known = await self._signatures(deadline)
        if name not in known:
            self._known = None
            known = await self._signatures(deadline)
        if name not in known:
            raise InputError(
                f"`signature`: must be one of the model's, {', '.join(known)}; got {name}. Pass one of "
                f"those, or export the model with it."
            )
        return known[name]

    async def _signatures(self, deadline: Deadline) -> dict[str, Signature]:
        if self._known is None:
            request = self._request("GetModelMetadataRequest", field=SIGNATURE_DEF)
            self._known = read_signatures(await self._send("GetModelMetadata", request, deadline))
        return self._known

    def _request(self, message: str, *, signature_name: str = "", field: str = "") -> Any:
        request = MESSAGES[message]()
        spec = request.model_spec
        spec.name, spec.signature_name = self._settings.model, signature_name
        if self._settings.version is not None:
            spec.version.value = self._settings.version
        if self._settings.label is not None:
            spec.version_label = self._settings.label
        if field:
            request.metadata_field.append(field)
        return request

    async def _send(self, method: str, request: Any, deadline: Deadline) -> Any:
        async def send(seconds: float) -> Any:
            return await self._transport.send(method, request, seconds)

        settings = self._settings
        return await attempted(
            send,
            self._transport.sleep,
            settings.retries,
            deadline=deadline,
            address=settings.address,
        )

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline.after(self._settings.timeout if timeout is None else timeout)


def _wanted(name: str, signature: Signature, outputs: Sequence[str] | None) -> list[str]:
    """Outputs to ask for, [] for all; statuses are among them."""
    if outputs is None:
        return []
    if unknown := [output for output in outputs if output not in signature.outputs]:
        raise InputError(
            f"`outputs`: {name} gives {', '.join(signature.outputs)}; got {', '.join(unknown)}. Name those."
        )
    status = [answers.STATUS] if answers.STATUS in signature.outputs else []
    return list(dict.fromkeys([*outputs, *status]))
