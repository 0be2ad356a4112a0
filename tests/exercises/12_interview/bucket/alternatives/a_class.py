"""A class for the bucket, which stores when it would have been empty (a "leaky" clock)."""

from math import ceil


class Bucket:
    """Holds the moment at which the bucket would have been empty: tokens = (now - empty) * rate."""

    def __init__(self, rate, burst, now):
        self.rate, self.burst = rate, burst
        self.empty = now - burst / rate

    def take(self, now):
        """Return 0 and take a token, or the seconds until there is one."""
        self.empty = max(self.empty, now - self.burst / self.rate)
        ready = self.empty + 1 / self.rate
        if ready > now:
            return ceil(ready - now)
        self.empty = ready
        return 0


def limited(app, rate, burst, clock):
    buckets = {}

    async def application(scope, receive, send):
        if scope["type"] == "http":
            now = clock()
            host = (scope.get("client") or [None])[0]
            if host not in buckets:
                buckets[host] = Bucket(rate, burst, now)
            if seconds := buckets[host].take(now):
                wait = (b"retry-after", str(seconds).encode())
                headers = [wait, (b"content-type", b"text/plain")]
                await send({"type": "http.response.start", "status": 429, "headers": headers})
                text = b"429 Too Many Requests\n"
                return await send({"type": "http.response.body", "body": text})
        return await app(scope, receive, send)

    return application
