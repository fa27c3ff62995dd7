"""A batch that rows join and leave at any token: all of them are asked for their next token in one go.

Prompts are put in on their own, padded on the left, and their memory of keys and values is joined to that of the batch.
A model whose memory cannot be joined, because it keeps a window or a state, works in batches that are filled once.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateImportUsage=false
# The training stack ships incomplete types.
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_ROWS = 32
SPARE = 64  # columns that are padding in every row, before they are cut


class Row(Protocol):
    """An answer that is being written."""

    @property
    def ids(self) -> Sequence[int]:
        """The prompt."""
        ...

    @property
    def adapter(self) -> str | None:
        """Of the model; None is the base alone."""
        ...

    def choose(self, logits: Any) -> int:
        """The next token."""
        ...

    def take(self, token: int) -> bool:
        """Take a token; False once the answer has ended, or nobody waits for it."""
        ...

    def fail(self, error: Exception) -> None:
        """Learn that there will be no answer."""
        ...


Forward = Callable[..., Any]


@dataclass(slots=True)
class _Batch:
    """The rows at work, their memory, and which of its columns are no padding."""

    rows: list[Row]
    cache: Any
    mask: Any
    last: list[int]
    gone: set[int] = field(default_factory=set[int])  # of a batch that nobody can leave


class Batcher:
    """Writes the answers of one model, in a thread of its own.

    Args:
        forward: Asks the model: adapters by row, and the model's own inputs; gives its output.
        config: The model's.
        device: Where the model is.
        pad: The token that fills up.
    """

    def __init__(self, forward: Forward, *, config: Any, device: Any, pad: int) -> None:
        self._forward, self._config, self._device, self._pad = forward, config, device, pad
        self._inbox: deque[Row] = deque()
        self._tasks: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._batch: _Batch | None = None
        self._news = threading.Condition()
        self._stopped = self._running = False

    def put(self, row: Row) -> None:
        """Add a row; it joins at the next token."""
        with self._news:
            self._inbox.append(row)
            self._wake()

    def between_steps(self, task: Callable[[], Any]) -> Any:
        """Do something with the model while no token is made; its result."""
        future: Future[Any] = Future()
        with self._news:
            self._tasks.append((task, future))
            self._wake()
        return future.result()

    def _wake(self) -> None:
        if not self._running:
            self._running = True
            threading.Thread(target=self._loop, name="batcher", daemon=True).start()
        self._news.notify()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being written."""
        with self._news:
            return not (self._inbox or self._tasks or self._batch)

    def stop(self) -> None:
        """End the thread once nothing is being written."""
        with self._news:
            self._stopped = True
            self._news.notify()

    def _loop(self) -> None:
        import torch

        with torch.inference_mode():
            while self._has_work():
                while self._tasks:
                    _done(*self._tasks.popleft())
                try:
                    self._step()
                except Exception as error:  # memory, say: the rows learn of it, and the next ones are tried
                    self._fail(error)

    def _has_work(self) -> bool:
        with self._news:
            while not (self._inbox or self._tasks or self._batch or self._stopped):
                self._news.wait()
            self._running = bool(self._inbox or self._tasks or self._batch)
            return self._running

    def _fail(self, error: Exception) -> None:
        batch, self._batch = self._batch, None
        for place, row in enumerate(batch.rows if batch else ()):
            if batch and place not in batch.gone:
                row.fail(error)

    def _step(self) -> None:
        if self._batch is None or _is_joinable(self._batch.cache):
            self._admit()
        if self._batch:
            self._decode(self._batch)

    def _admit(self) -> None:
        room = MOST_ROWS - (len(self._batch.rows) if self._batch else 0)
        new = [self._inbox.popleft() for _ in range(min(room, len(self._inbox)))]
        if not new:
            return
        try:
            fresh = self._prefilled(new)
        except Exception as error:
            for row in new:
                row.fail(error)
            return
        if fresh and self._batch:
            self._batch = _joined(self._batch, fresh)
        elif fresh:
            self._batch = fresh

    def _prefilled(self, new: list[Row]) -> _Batch | None:
        """The prompts put in, and the first token of each answer chosen."""
        import torch
        from transformers import DynamicCache

        width = max(len(row.ids) for row in new)
        ids = [[self._pad] * (width - len(row.ids)) + list(row.ids) for row in new]
        mask = torch.tensor([[0] * (width - len(row.ids)) + [1] * len(row.ids) for row in new], device=self._device)
        batch = _Batch(new, DynamicCache(config=self._config), mask, [])
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        return self._advanced(batch, torch.tensor(ids, device=self._device), positions)

    def _decode(self, batch: _Batch) -> None:
        import torch

        batch.mask = torch.cat([batch.mask, batch.mask.new_ones(len(batch.rows), 1)], 1)
        ids = torch.tensor([[token] for token in batch.last], device=self._device)
        self._batch = self._advanced(batch, ids, batch.mask.sum(1, keepdim=True) - 1)

    def _advanced(self, batch: _Batch, ids: Any, positions: Any) -> _Batch | None:
        """One more token for each row; those that have ended leave."""
        output = self._forward(
            [row.adapter for row in batch.rows],
            input_ids=ids,
            attention_mask=batch.mask,
            position_ids=positions,
            past_key_values=batch.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[:, -1]
        batch.last = [0 if place in batch.gone else row.choose(logits[place]) for place, row in enumerate(batch.rows)]
        ended = {place for place in range(len(batch.rows)) if place not in batch.gone and not _taken(batch, place)}
        if len(ended) + len(batch.gone) == len(batch.rows):
            return None
        if not _is_joinable(batch.cache):
            batch.gone |= ended
        elif ended:
            _leave(batch, [place for place in range(len(batch.rows)) if place not in ended])
        return batch


def _done(task: Callable[[], Any], future: Future[Any]) -> None:
    try:
        future.set_result(task())
    except BaseException as error:
        future.set_exception(error)


def _taken(batch: _Batch, place: int) -> bool:
    return batch.rows[place].take(batch.last[place])


def _is_joinable(cache: Any) -> bool:
    """Whether each layer remembers all that was said, and nothing else."""
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in cache.layers)


def _joined(batch: _Batch, fresh: _Batch) -> _Batch:
    import torch
    from torch.nn.functional import pad

    ours, theirs = batch.mask.shape[1], fresh.mask.shape[1]
    width = max(ours, theirs)
    for mine, other in zip(batch.cache.layers, fresh.cache.layers, strict=True):
        for name in ("keys", "values"):
            parts = (getattr(mine, name), width - ours), (getattr(other, name), width - theirs)
            setattr(mine, name, torch.cat([pad(part, (0, 0, missing, 0)) for part, missing in parts]))
    mask = torch.cat([pad(batch.mask, (width - ours, 0)), pad(fresh.mask, (width - theirs, 0))])
    return _Batch([*batch.rows, *fresh.rows], batch.cache, mask, [*batch.last, *fresh.last])


def _leave(batch: _Batch, kept: list[int]) -> None:
    """Keep some rows, and cut what is padding in all of them."""
    import torch

    batch.cache.batch_select_indices(torch.tensor(kept, device=batch.mask.device))
    batch.rows, batch.last = [batch.rows[place] for place in kept], [batch.last[place] for place in kept]
    batch.mask = batch.mask[kept]
    spare = int(batch.mask.argmax(1).min())
    if spare > SPARE or len(kept) == 1:
        batch.mask = batch.mask[:, spare:]
        for layer in batch.cache.layers:
            layer.keys, layer.values = layer.keys[:, :, spare:], layer.values[:, :, spare:]
