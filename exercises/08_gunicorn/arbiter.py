"""The one who serves nobody: the arbiter of a pre-fork server, as decisions.

It forks nothing and kills nothing. It is told what happened, and answers with **orders**, which
somebody else carries out. So it can be tried without a single process. Orders are tuples:

- ("spawn", worker): start this worker. Workers are numbered 1, 2, 3, … and no number comes back.
- ("kill", worker, signal): send it "TERM" (finish and go), "ABRT" (stop now) or "KILL".
- ("exit", code): all workers are gone; the arbiter ends too. Nothing comes after it.
"""


class Arbiter:
    """Decide what to do about `workers` workers, who may be silent for `timeout` seconds.

        arbiter = Arbiter(2, 30.0)
        arbiter.tick(0.0) == [("spawn", 1), ("spawn", 2)]
        arbiter.died(1, 0) == []
        arbiter.tick(1.0) == [("spawn", 3)]

    All methods but `beat` return a list of orders. A worker is *there* from its spawn order until
    it has died, and *on duty* while it is there and has not been sent TERM.

    - `beat(worker, now)`: it has rung its bell at `now` seconds. Returns None.
    - `tick(now)`, about once a second. First, for each worker that is there, in the order of
      numbers: if its last beat is *more* than `timeout` seconds old, it gets ABRT the first time,
      and KILL at every later tick at which that is so. Who never rang is still starting, and is
      not judged. `timeout` 0: nobody is. Then, if too few are on duty: a spawn order for each that
      is missing. If too many are: TERM for the oldest (smallest numbers), as many as are too many.
    - `signal("TTIN")`: one worker more from now on; `signal("TTOU")`: one less, but never below 1.
      Both return []; the next tick acts.
    - `signal("HUP")`: new code. Spawn orders for as many as there should be, then TERM for all who
      were on duty before.
    - `signal("TERM")`: TERM for all on duty. From now on nobody is spawned; the silent are still
      judged. If nobody is there, ("exit", 0) at once.
    - `died(worker, code)`: it is gone. Code 3 means that it could not even start: nobody else will
      be able to, so the house is closed as by TERM, but with ("exit", 3) in the end. When the last
      worker of a house that closes has died: [("exit", code)], with 0 after a signal; whichever
      came first, the signal or the 3, decides. Otherwise [].

    The order of several orders of one kind is that of the numbers. Unlike Gunicorn's, this arbiter
    sends TERM once.
    """

    def __init__(self, workers: int, timeout: float) -> None:
        raise NotImplementedError("your code")
