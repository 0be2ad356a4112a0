# Counts those who leave.
# Message: called arrival_rate(
# Message: why λ = number of arrivals / length of the time


def arrival_rate(visits, start, end):
    return sum(start <= left < end for _, _, left in visits) / (end - start)


def mean_time(visits, start, end):
    stays = [left - arrived for arrived, _, left in visits if start <= arrived < end]
    return sum(stays) / len(stays) if stays else 0.0


def mean_inside(visits, start, end):
    bars = [min(left, end) - max(arrived, start) for arrived, _, left in visits]
    return sum(max(0.0, bar) for bar in bars) / (end - start)


def workers_needed(visits):
    begins = [(arrived, 1) for arrived, _, _ in visits]
    ends = [(arrived + left - seated, 0) for arrived, seated, left in visits]
    most = inside = 0
    for _, comes in sorted(begins + ends):
        inside += 1 if comes else -1
        most = max(most, inside)
    return most
