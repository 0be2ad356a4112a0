"""One sweep over the moments at which somebody comes or goes, ends before beginnings."""

from collections import Counter


def name_the_setup(rows):
    moments = sorted(
        moment
        for number, (_, _, _, began, ended) in enumerate(rows)
        for moment in ((began, 1, number), (ended, 0, number))
    )
    inside, by_thread, together, loop = Counter(), Counter(), 0, False
    for _, comes, number in moments:
        _, process, thread, _, _ = rows[number]
        change = 1 if comes else -1
        inside[process] += change
        by_thread[process, thread] += change
        together = max(together, inside[process])
        loop = loop or by_thread[process, thread] > 1
    if loop:
        return "loop", len(inside), together
    if len(by_thread) > len(inside):
        return "threads", len(inside), together
    for arrived, process, _, began, _ in rows:
        ends = [row[4] for row in rows if row[1] == process]
        if any(arrived < ended <= began for ended in ends):
            return "one at a time", len(inside), together
    return "unknown", len(inside), together
