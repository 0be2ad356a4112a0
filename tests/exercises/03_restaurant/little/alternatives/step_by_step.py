"""Walk through the evening event by event, with a heap of those who will leave."""

import heapq
from itertools import pairwise
from statistics import fmean


def arrival_rate(visits, start, end):
    rate = 0
    for visit in visits:
        if visit[0] >= start and visit[0] < end:
            rate += 1 / (end - start)
    return rate


def mean_time(visits, start, end):
    arrived = filter(lambda visit: start <= visit[0] < end, visits)
    stays = [visit[2] - visit[0] for visit in arrived]
    return fmean(stays) if stays else 0


def mean_inside(visits, start, end):
    moments = {start, end}
    for visit in visits:
        moments |= {time for time in (visit[0], visit[2]) if start < time < end}
    area = 0.0
    for earlier, later in pairwise(sorted(moments)):
        middle = (earlier + later) / 2
        area += (later - earlier) * len([v for v in visits if v[0] < middle < v[2]])
    return area / (end - start)


def workers_needed(visits):
    most = 0
    busy_until = []
    for arrived, seated, left in sorted(visits):
        while busy_until and busy_until[0] <= arrived:
            heapq.heappop(busy_until)
        heapq.heappush(busy_until, arrived + (left - seated))
        most = max(most, len(busy_until))
    return most
