"""Change the menu without closing the street: a rolling restart, as decisions.

As in `gunicorn-arbiter`, nothing is forked and nobody is killed. The supervisor is told what
happened, and answers with a list of **orders**, which somebody else carries out:

- ("spawn", worker): start this worker. Workers are numbered 1, 2, 3, … and no number comes back.
- ("term", worker): it finishes what it does, and goes.
- ("kill", worker): it goes at once.
- ("exit", code): everybody is gone, and so is the supervisor. Nothing comes after it.
"""


class Rolling:
    """Decide for a street with `workers` places, each of which has one worker.

        street = Rolling(2)
        street.begin() == [("spawn", 1), ("spawn", 2)]
        street.ready(1) == street.ready(2) == []
        street.signal("HUP") == [("spawn", 3)]
        street.ready(3) == [("term", 1)]
        street.died(1, 0) == [("spawn", 4)]

    - `begin()`: spawn one for each place.
    - `signal("HUP")`: a **roll** begins. Place by place, from the first to the last, a replacement
      is spawned. When it is ready, it takes the place, and the old one gets "term". When that has
      died, it is the next place's turn. A HUP during a roll is remembered, however many come, as
      *one* further roll, which begins when the present one is over, completed or given up.
    - `ready(worker)`: it serves from now on.
    - `late(worker)`: it should be ready by now. If it is not: "kill". Its death is told later, by
      `died`. If it is ready, or gone: [].
    - `died(worker, code)`: it is gone.
      An old one that got its "term": see above.
      A replacement that was not ready: the roll is given up. The others stay, whatever the code
      was.
      Any other: a new one is spawned for its place at once. But if the replacement for this very
      place is already on its way, it just takes the place when it is ready (and the roll goes on
      with the next place at once); if it dies instead, a new one is spawned for the place, before
      a roll that was remembered begins.
      And if one that is in a place, and never was ready, ends with code 3: it could not start, so
      the next one cannot either. The street is closed as by TERM, with code 3 in the end. (Uvicorn
      0.54.0 ends with 0 here.)
    - `signal("TERM")`: "term" for all who are there and have not got it, in the order of numbers,
      replacements too. From now on nobody is spawned, and `ready` answers []; `late` still kills.
      When all have died: [("exit", 0)]; at once, if nobody is there. What closed the street first,
      TERM or code 3, decides about the code; a second TERM, and a HUP from now on, answer [].
    """

    def __init__(self, workers: int) -> None:
        raise NotImplementedError("your code")
