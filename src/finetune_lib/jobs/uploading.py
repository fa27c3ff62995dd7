"""From a dataset to a file on the platform: streamed, known by its content, and not sent twice."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, cast

from finetune_lib.concurrency import in_thread
from finetune_lib.data.dataset import Dataset
from finetune_lib.errors import PlatformError
from finetune_lib.platforms.patience import Patience
from finetune_lib.platforms.wire import UNREADABLE, Call, Object, Wire
from finetune_lib.runs import Record, in_turn

NOT_IN_NAMES = re.compile(r"[^\w.-]+")
PURPOSE = "fine-tune"
PART_BYTES, PARTS_AT_ONCE = 8 * 2**20, 4
BOM = b"\xef\xbb\xbf"
MISSING, TOO_MANY = 404, 429
# An upload that the platform answers so takes no further parts: it has expired, was cancelled, or is not known.
GONE = frozenset({400, 404, 409, 410})
BROKEN = frozenset({"error", "failed", "deleted", "deleting"})
READY = frozenset({"processed", "uploaded"})  # `uploaded` is how older platforms say it
PROCESSING = ("still being processed", "not ready")
# A list may lag behind what was done: after an unclear end it is read so often, over so many seconds.
SETTLING_SECONDS, SETTLING_LOOKS = 60.0, 6
FIRST_POLL, LONGEST_POLL = 0.2, 5.0

OnProgress = Callable[[int, int], object]


@dataclass(frozen=True)
class Upload:
    """The bytes that a dataset is uploaded as; they are made as they are read, and never lie on disk once more.

    Attributes:
        data: The examples.
        bom: Whether the file begins with a byte-order mark.
    """

    data: Dataset
    _: KW_ONLY
    bom: bool = False

    def chunks(self) -> Iterator[bytes]:
        """The bytes, line by line."""
        if self.bom:
            yield BOM
        yield from self.data.lines()

    @cached_property
    def _told(self) -> tuple[str, str, int]:
        sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        for chunk in self.chunks():
            sha.update(chunk)
            md5.update(chunk)
            size += len(chunk)
        return sha.hexdigest(), md5.hexdigest(), size

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return self._told[0]

    @property
    def md5(self) -> str:
        """MD5 of the bytes, as the Uploads API asks for it."""
        return self._told[1]

    @property
    def size(self) -> int:
        """Their number."""
        return self._told[2]

    @property
    def filename(self) -> str:
        """Carries the digest, by which the file is found again on the platform."""
        name = NOT_IN_NAMES.sub("_", self.data.name).strip("_.")[:60] or "data"
        return f"{name}-{self.digest[:16]}.jsonl"

    def parts(self, size: int) -> Iterator[bytes]:
        """The bytes in parts of one size; the last one may be smaller."""
        held = bytearray()
        for chunk in self.chunks():
            held += chunk
            while len(held) >= size:
                yield bytes(held[:size])
                del held[:size]
        if held:
            yield bytes(held)


class _Stream(io.RawIOBase):
    """An upload as a file that is read once, from its beginning; it can tell its length, and begin again."""

    def __init__(self, upload: Upload, on_progress: OnProgress | None) -> None:
        self._upload, self._on_progress = upload, on_progress
        self.failed: Exception | None = None  # of the data or of the function that is told: no fault of the network
        self._begin()

    def _begin(self) -> None:
        self._chunks, self._held, self._at = self._upload.chunks(), b"", 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """To the beginning, or to the end to tell the length."""
        self._begin()
        if whence == io.SEEK_END:
            self._at = self._upload.size
        elif offset:
            raise io.UnsupportedOperation("an upload is read from its beginning")
        return self._at

    def read(self, size: int = -1) -> bytes:
        try:
            return self._next(size)
        except Exception as error:
            self.failed = error
            raise

    def _next(self, size: int) -> bytes:
        wanted = self._upload.size if size < 0 else size
        pieces = [self._held]
        have = len(self._held)
        while have < wanted and (chunk := next(self._chunks, b"")):
            pieces.append(chunk)
            have += len(chunk)
        whole = b"".join(pieces)
        given, self._held = whole[:wanted], whole[wanted:]
        self._at += len(given)
        if self._on_progress and given:
            self._on_progress(self._at, self._upload.size)
        return given


@dataclass(frozen=True)
class Uploader:
    """Puts files on a platform.

    Attributes:
        wire: The connection.
        record: Which content lies where.
        limit: Bytes that one request may carry; what is larger goes in parts.
        patience: How long is waited and tried again, at each step: a large file may be under way for hours.
        on_progress: Told the bytes that were sent, and all of them.
    """

    wire: Wire
    record: Record
    limit: int
    patience: Patience
    on_progress: OnProgress | None = None

    async def file(self, upload: Upload) -> str:
        """The id of a file with this content: one that is there, else a new one, once it is ready to be trained on.

        Raises:
            PlatformError: The platform refused it, or says that something is wrong with it.
        """
        where = self.wire.platform.identity
        await in_thread(lambda: upload.digest)
        async with in_turn(f"file-{upload.digest}"):  # jobs that differ in their settings alone share it
            id = await self._there(upload)
            if id is None:
                send = self._in_parts if 0 < self.limit < upload.size else self._whole
                id = await send(upload)
            else:
                await self._abandon(upload)
            self.record.keep_file(where, upload.digest, id)
        return await self._ready(id, upload)

    async def _there(self, upload: Upload) -> str | None:
        """A file of this content that the platform still has."""
        where = self.wire.platform.identity
        if known := self.record.file(where, upload.digest):
            file = await self._file(known)
            if file and str(file.get("status")) not in BROKEN:
                return known
            self.record.forget_file(where, upload.digest)
        left = self.record.sent(where, upload.digest) + SETTLING_SECONDS - time.time()
        return await (self._settled(upload, left) if left > 0 else self._listed(upload))

    async def _file(self, id: str) -> Object | None:
        try:
            return await self._patiently(Call(f"look for the file {id}", "GET", f"/files/{id}"))
        except PlatformError as error:
            if error.status_code == MISSING:
                return None
            raise

    async def _listed(self, upload: Upload) -> str | None:
        """By its name, which carries the digest."""

        async def look() -> str | None:
            async for page in self.wire.pages(Call("list the files", "GET", "/files", query={"purpose": PURPOSE})):
                for file in page:
                    same = file.get("filename") == upload.filename
                    if same and str(file.get("status")) not in BROKEN and file.get("id"):
                        return str(file["id"])
            return None

        try:
            return await self._fresh.trying(look)
        except PlatformError as error:
            if error.retryable or error.status_code in (401, 403):
                raise
            return None  # a service without a list of files

    async def _whole(self, upload: Upload) -> str:
        """In one request; where its end is unclear, the list is read before anything is sent again."""
        where = self.wire.platform.identity
        patience = None  # begins with the first failure: the file itself may be under way for long
        while True:
            self.record.keep_sending(where, upload.digest)
            try:
                return await self._send(upload)
            except PlatformError as error:
                refused = error.status_code == 429 or not error.retryable
                if refused:
                    self.record.forget_file(where, upload.digest)
                if not error.retryable:
                    raise
                patience = patience or self._fresh
                if not refused and (found := await self._settled(upload, SETTLING_SECONDS)):
                    return found
                if patience.left <= 0:
                    raise
                if refused:
                    await patience.sleep(min(error.retry_after or 1.0, max(0.0, patience.left)))

    @property
    def _fresh(self) -> Patience:
        return replace(self.patience)

    async def _settled(self, upload: Upload, seconds: float) -> str | None:
        """Look until any lag of the list is over."""
        for _ in range(SETTLING_LOOKS):
            if found := await self._listed(upload):
                return found
            await self.patience.sleep(seconds / SETTLING_LOOKS)
        return await self._listed(upload)

    async def _send(self, upload: Upload) -> str:
        client: Any = self.wire.client
        stream = _Stream(upload, self.on_progress)
        call = Call("upload the data", "POST", "/files")
        try:
            with self.wire.platform.calls(call.doing):
                sent = await client.files.with_raw_response.create(
                    file=(upload.filename, stream, "application/jsonl"), purpose=PURPOSE
                )
                return _id(self.wire.object_in(sent.http_response, call))
        except PlatformError:
            if stream.failed:
                raise stream.failed from None
            raise

    async def _in_parts(self, upload: Upload) -> str:
        """Through the Uploads API: several parts at once, each sent once, taken up again where it was interrupted."""
        while True:
            begun = self.record.upload(self.wire.platform.identity, upload.digest)
            id, size = begun or await self._begun(upload)
            try:
                file = await self._sent(upload, id, size)
            except PlatformError as error:
                if error.status_code not in GONE:
                    raise  # what has arrived is taken up the next time
                await self._abandon(upload)
                if begun is None:
                    raise
            else:
                self.record.forget_upload(self.wire.platform.identity, upload.digest)
                return file

    async def _begun(self, upload: Upload) -> tuple[str, int]:
        body = {"filename": upload.filename, "bytes": upload.size, "mime_type": "text/jsonl", "purpose": PURPOSE}
        begun = _id(await self._patiently(Call("begin the upload", "POST", "/uploads", body=body))), PART_BYTES
        self.record.keep_upload(self.wire.platform.identity, upload.digest, *begun)
        return begun

    async def _sent(self, upload: Upload, id: str, size: int) -> str:
        """The id of the file that the parts make."""
        body = {"part_ids": await self._parts(upload, id, size), "md5": upload.md5}
        call = Call("complete the upload", "POST", f"/uploads/{id}/complete", body=body)
        patience, unclear = self._fresh, False

        async def complete() -> str:
            nonlocal unclear
            try:
                answer = await self.wire.send(call, seconds=patience.answer_seconds)
                return _id(cast("Object", answer.get("file") or {}))
            except PlatformError as error:
                unclear = unclear or (error.retryable and error.status_code != TOO_MANY)
                raise

        try:
            return await patience.trying(complete)
        except PlatformError:
            # It may have been completed by a request whose answer was lost; then it is refused the second time.
            if unclear and (found := await self._settled(upload, SETTLING_SECONDS)):
                return found
            raise

    async def _abandon(self, upload: Upload) -> None:
        """Cancel an upload that was begun and will not be completed, where there is one."""
        where = self.wire.platform.identity
        if begun := self.record.upload(where, upload.digest):
            self.record.forget_upload(where, upload.digest)
            with suppress(PlatformError):
                await self.wire.send(Call("cancel the upload", "POST", f"/uploads/{begun[0]}/cancel"))

    async def _parts(self, upload: Upload, id: str, size: int) -> list[str]:
        arrived, places = self.record.parts(id), asyncio.Semaphore(PARTS_AT_ONCE)
        sent = len(arrived) * size

        async def send(number: int, content: bytes) -> None:
            nonlocal sent
            try:
                arrived[number] = await self._part(id, number, content)
                self.record.keep_part(id, number, arrived[number])
                sent += len(content)
                if self.on_progress:
                    self.on_progress(min(sent, upload.size), upload.size)
            finally:
                places.release()

        try:
            async with asyncio.TaskGroup() as group:
                for number, content in enumerate(upload.parts(size)):
                    if number not in arrived:
                        await places.acquire()
                        group.create_task(send(number, content))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [arrived[number] for number in sorted(arrived)]

    async def _part(self, id: str, number: int, content: bytes) -> str:
        client: Any = self.wire.client

        async def send() -> str:
            call = Call(f"upload part {number + 1}", "POST", f"/uploads/{id}/parts")
            with self.wire.platform.calls(call.doing):
                sent = await client.uploads.parts.with_raw_response.create(id, data=(f"part-{number}", content))
                return _id(self.wire.object_in(sent.http_response, call))

        return await self._fresh.trying(send)

    async def _ready(self, id: str, upload: Upload) -> str:
        """Wait until the platform has read the file.

        Raises:
            PlatformError: It found something wrong with it.
        """
        pause, patience = FIRST_POLL, self._fresh
        while True:
            file = await self._file(id)
            told: object = (file or {}).get("status")
            status = told if told and isinstance(told, str) else "processed"
            if status in BROKEN:
                self.record.forget_file(self.wire.platform.identity, upload.digest)
                reason = self.wire.platform.scrub(str((file or {}).get("status_details") or "it gives no reason"))[:200]
                name = self.wire.platform.name
                raise PlatformError(f"{name} cannot use the file {id} ({status}): {reason}", code=status)
            if status in READY or file is None or patience.left <= 0:
                return id
            await patience.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL)

    async def _patiently(self, call: Call) -> Object:
        patience = self._fresh
        return await patience.trying(lambda: self.wire.send(call, seconds=patience.answer_seconds))


def _id(answer: Object) -> str:
    if id := answer.get("id"):
        return str(id)
    raise PlatformError("the platform answered without an id", code=UNREADABLE, retryable=True)
