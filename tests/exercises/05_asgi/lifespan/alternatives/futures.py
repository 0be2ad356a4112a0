"""Futures instead of queues."""

import asyncio


async def run_lifespan(app, serve):
    loop = asyncio.get_running_loop()
    state, stopping = {}, asyncio.Event()
    up, down, said = loop.create_future(), loop.create_future(), []

    async def receive():
        if not said:
            said.append("startup")
            return {"type": "lifespan.startup"}
        await stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def send(message):
        future = up if message["type"].startswith("lifespan.startup") else down
        future.set_result(message)

    asgi = {"version": "3.0", "spec_version": "2.0"}
    task = asyncio.ensure_future(
        app({"type": "lifespan", "asgi": asgi, "state": state}, receive, send)
    )
    await asyncio.wait([up, task], return_when="FIRST_COMPLETED")
    result, error = "complete", None
    if not up.done():
        result = "unsupported"
        await serve({})
    elif up.result()["type"].endswith("failed"):
        result = "startup failed: " + up.result().get("message", "")
    else:
        try:
            await serve(state)
        except Exception as raised:
            error = raised
        stopping.set()
        await asyncio.wait([down, task], return_when="FIRST_COMPLETED")
        if down.done() and down.result()["type"].endswith("failed"):
            result = "shutdown failed: " + down.result().get("message", "")
    await asyncio.gather(task, return_exceptions=True)
    if error:
        raise error
    return result
