"""A micro-batcher: single questions in, one call of the model for several of them.

It knows no server and no framework. `model` is an ordinary *blocking* function: it takes a list of
rows, and returns a list of as many answers in the same order.

    batcher = Batcher(model, most=32, patience=0.003)
    worker = asyncio.create_task(batcher.run())     # in the lifespan
    digit = await batcher.ask(row)                  # in an endpoint
    batcher.close()                                 # in the lifespan, at the end
    await worker
"""

from collections.abc import Callable
from typing import Any


class Batcher:
    """Put questions together for `model`: at most `most`, within `patience` seconds.

    It may be made before an event loop runs. Everything else happens on one loop.

    - `await ask(row)` returns the model's answer for this row, whoever else is in the batch.
    - `await run()` does the work. A batch goes to the model as soon as it has `most` rows, and at
      the latest `patience` seconds after the *first* of its rows came. Nobody is overtaken.
    - The model is called in a thread, and never by two threads at a time. Who comes meanwhile waits
      for the next batch; if its patience is over by the time the model is free, it goes at once.
    - If the model raises for a batch of several, it is asked for each of these rows alone, in their
      order. So only who asked for the bad row gets the exception. Returning another number of
      answers than there were rows is a failure too: ValueError.
    - Who is cancelled while waiting takes the row back, if it has not gone to the model yet; it is
      not asked for alone either. All others get their answers.
    - `close()`: from now on `ask` raises RuntimeError. Those who wait go to the model without
      further patience (still at most `most` at a time). `run` returns when all are answered.
    """

    def __init__(self, model: Callable[[list[Any]], list[Any]], most: int, patience: float) -> None:
        raise NotImplementedError("your code")
