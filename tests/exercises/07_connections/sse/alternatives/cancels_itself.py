"""The sender in the app's own task; a watcher cancels its wait for the next event."""

import asyncio


def encode_event(data, event="", id=None):
    if any(bad in event for bad in "\r\n") or any(bad in (id or "") for bad in "\r\n\0"):
        raise ValueError("name or id")
    text = f"event: {event}\n" if event else ""
    if id is not None:
        text += "id: " + id + "\n"
    for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        text += "data: " + line + "\n"
    return (text + "\n").encode("utf-8")


def event_app(next_event):
    async def app(scope, receive, send):
        head = {"type": "http.response.start", "status": 200}
        head["headers"] = [[b"content-type", b"text/event-stream"], [b"cache-control", b"no-cache"]]
        await send(head)
        gone = asyncio.create_task(left(receive))
        try:
            while True:
                event = asyncio.create_task(next_event())
                await asyncio.wait({gone, event}, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    event.cancel()
                    await asyncio.wait({event})
                    return
                fields = event.result()
                data = b"" if fields is None else encode_event(**fields)
                more = fields is not None
                await send({"type": "http.response.body", "body": data, "more_body": more})
                if not more:
                    return
        finally:
            gone.cancel()
            await asyncio.wait({gone})

    async def left(receive):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return

    return app
