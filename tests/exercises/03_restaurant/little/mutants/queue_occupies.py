# Lets those at the door occupy a worker as well.
# Message: (1.0, 4.0, 5.0), (2.0, 5.0, 6.0), (3.0, 6.0, 7.0)])
# Message: came back returned 4
# Message: expected returned 2


def arrival_rate(visits, start, end):
    return sum(start <= arrived < end for arrived, _, _ in visits) / (end - start)


def mean_time(visits, start, end):
    stays = [left - arrived for arrived, _, left in visits if start <= arrived < end]
    return sum(stays) / len(stays) if stays else 0.0


def mean_inside(visits, start, end):
    bars = [min(left, end) - max(arrived, start) for arrived, _, left in visits]
    return sum(max(0.0, bar) for bar in bars) / (end - start)


def workers_needed(visits):
    begins = [(arrived, 1) for arrived, _, _ in visits]
    ends = [(left, 0) for _, _, left in visits]
    most = inside = 0
    for _, comes in sorted(begins + ends):
        inside += 1 if comes else -1
        most = max(most, inside)
    return most
