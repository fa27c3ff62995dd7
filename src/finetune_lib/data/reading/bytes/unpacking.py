"""Compressed files, read as what is in them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from finetune_lib.data.reading.bytes.blob import Blob
from finetune_lib.data.reading.bytes.kinds import GZIP, ZSTD
from finetune_lib.data.reading.bytes.spooling import PIECE, gathered, stream
from finetune_lib.data.reading.options import unreadable
from finetune_lib.extras import require

ZSTD_PIECE = 1 << 14  # what is in it may be thousands of times as long
ZSTD_WINDOW = 1 << 31
SIGNATURES = {GZIP: "gzip", ZSTD: "zstd"}


def compression_of(blob: Blob) -> str | None:
    """What a file is compressed with: `gzip`, `zstd`, or nothing."""
    head = blob.read(0, 4)
    return next((name for signature, name in SIGNATURES.items() if head.startswith(signature)), None)


def unpacked(blob: Blob, compression: str) -> Blob:
    """What is in a compressed file.

    Raises:
        ReadError: It breaks off or is damaged.
        MissingExtraError: Zstandard without the `zst` extra.
    """
    unpack = UNPACK[compression]
    try:
        with stream(blob) as file:
            return gathered(unpack(file))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise unreadable("E112", what=compression) from error


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as content:
        while piece := content.read(PIECE):
            yield piece


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    zstandard = require("zstandard", extra="zst", feature="Reading .zst files")
    try:
        yield from _frames(file, zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW))
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error


def _frames(file: BinaryIO, decompressor: Any) -> Iterator[bytes]:
    """The content of each frame; the stream reader of the package would take a file that breaks off for whole."""
    frame: Any = None
    while piece := file.read(ZSTD_PIECE):
        while piece:
            frame = frame or decompressor.decompressobj()
            yield frame.decompress(piece)
            piece, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("the last frame breaks off")


UNPACK: Mapping[str, Callable[[BinaryIO], Iterator[bytes]]] = {"gzip": _gunzip, "zstd": _unzstd}
