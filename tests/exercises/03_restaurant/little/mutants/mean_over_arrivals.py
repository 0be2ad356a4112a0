# Takes the mean over the moments of arrival instead of over time.
# Message: called mean_inside([(0.0, 0.0, 1.0), (0.0, 0.0, 1.0)], 0.0, 4.0)
# Message: came back returned 2.0


def arrival_rate(visits, start, end):
    return sum(start <= arrived < end for arrived, _, _ in visits) / (end - start)


def mean_time(visits, start, end):
    stays = [left - arrived for arrived, _, left in visits if start <= arrived < end]
    return sum(stays) / len(stays) if stays else 0.0


def mean_inside(visits, start, end):
    moments = [arrived for arrived, _, _ in visits if start <= arrived < end]
    seen = [sum(a <= moment < left for a, _, left in visits) for moment in moments]
    return sum(seen) / len(seen) if seen else 0.0


def workers_needed(visits):
    begins = [(arrived, 1) for arrived, _, _ in visits]
    ends = [(arrived + left - seated, 0) for arrived, seated, left in visits]
    most = inside = 0
    for _, comes in sorted(begins + ends):
        inside += 1 if comes else -1
        most = max(most, inside)
    return most
