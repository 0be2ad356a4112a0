# Counts who was at a table: that is how many workers there were, not how many were needed.
# Message: called workers_needed([(0.0, 0.0, 4.0), (1.0, 4.0, 6.0), (7.0, 7.0, 8.0)])
# Message: came back returned 1
# Message: why with enough workers a party is seated on arrival


def arrival_rate(visits, start, end):
    return sum(start <= arrived < end for arrived, _, _ in visits) / (end - start)


def mean_time(visits, start, end):
    stays = [left - arrived for arrived, _, left in visits if start <= arrived < end]
    return sum(stays) / len(stays) if stays else 0.0


def mean_inside(visits, start, end):
    bars = [min(left, end) - max(arrived, start) for arrived, _, left in visits]
    return sum(max(0.0, bar) for bar in bars) / (end - start)


def workers_needed(visits):
    begins = [(seated, 1) for _, seated, _ in visits]
    ends = [(left, 0) for _, _, left in visits]
    most = inside = 0
    for _, comes in sorted(begins + ends):
        inside += 1 if comes else -1
        most = max(most, inside)
    return most
