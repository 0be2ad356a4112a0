"""Grader of loop-gather: coroutines that write a diary, in the learner's own loop."""

from playground.grading import Learner, fail

STEP = "PEP 492: a task continues its coroutine when the future it awaits is done"
CANCEL = "cancelling is an exception, raised in the coroutine where it stands"
ALL = "gather() ends when all of its tasks have ended"


def play(learner: Learner, name: str, told: str, expected: str, why: str, nudge: str) -> None:
    """Run one of PROGRAMS with the learner's names; fail unless its diary reads as expected."""
    names = {each: learner.name(each) for each in NAMES}
    program = learner.define(PROGRAMS, "play")
    with learner.telling(told):
        diary, end = program(name, names)
    found = ", ".join([*diary, end])
    if found != expected:
        fail(told, found, expected, why=why, nudge=nudge)


NAMES = ("run", "call_soon", "Future", "Task", "Cancelled", "gather")


def check_value(learner: Learner) -> None:
    """Runs a coroutine to its end."""
    play(learner, "value", "run() of a coroutine that returns 7 without awaiting anything",
         "soup begins, run returned 7", STEP, "StopIteration brings the value.")  # fmt: skip


def check_error(learner: Learner) -> None:
    """Keeps what a coroutine raises."""
    play(learner, "error", "run() of a coroutine that raises ValueError",
         "soup begins, run raised ValueError", "what a coroutine raises is the error of its task",
         "step() itself raises nothing: finish(error=…).")  # fmt: skip


def check_waits(learner: Learner) -> None:
    """Continues a task when its future is done, and the others meanwhile."""
    play(
        learner, "waits",
        "two tasks that await a Future each, their door; main finishes tea's door, then soup's",
        "soup begins, tea begins, tea goes on, soup goes on, run returned ['soup', 'tea']",
        STEP, "Add the step to the callbacks of the future that it yielded.",
    )  # fmt: skip


def check_error_at_await(learner: Learner) -> None:
    """Raises the error of a future at the await."""
    play(
        learner, "error_at_await", "a task whose door is finished with error=KeyError, and caught",
        "soup begins, soup caught KeyError, run returned 'soup'",
        STEP, "send(None): the future's __await__ raises by itself.",
    )  # fmt: skip


def check_cancel_waiting(learner: Learner) -> None:
    """Cancels a task that waits: Cancelled at the await, then its clean-up."""
    play(
        learner, "cancel_waiting", "task.cancel() while the task awaits a door",
        "soup begins, cancel() returned None, soup cleans up, run raised Cancelled",
        CANCEL, "Cancel the future that it waits for.",
    )  # fmt: skip


def check_cancel_before(learner: Learner) -> None:
    """Cancels a task that has not begun: it never does."""
    play(
        learner, "cancel_before", "task.cancel() before the first step of the task",
        "cancel() returned None, run raised Cancelled", CANCEL,
        "There is no future to cancel yet. What does its next step do?",
    )  # fmt: skip


def check_cancel_ready(learner: Learner) -> None:
    """Cancels a task whose door is open already, but who has not gone on yet."""
    play(
        learner, "cancel_ready",
        "a task awaits a Future, its door; then, in one step: door.finish() and task.cancel()",
        "soup begins, cancel() returned None, soup cleans up, run raised Cancelled",
        CANCEL, "A future that is done cannot be cancelled any more. The step can throw.",
    )  # fmt: skip


def check_cancel_once(learner: Learner) -> None:
    """Throws Cancelled once: a coroutine may catch it, await, and return."""
    play(
        learner, "cancel_once", "task.cancel(); the coroutine catches Cancelled, awaits, returns",
        "cancelled, cleaned up, run returned 'sorry'",
        CANCEL, "After the throw, the task goes on like any other.",
    )  # fmt: skip


def check_cancel_done(learner: Learner) -> None:
    """Leaves a task that is done as it is."""
    play(
        learner, "cancel_done", "task.cancel() of a task that has returned 7",
        "soup begins, cancel() returned None, run returned 7", "done is done",
        "What does finish() do the second time?",
    )  # fmt: skip


def check_gather(learner: Learner) -> None:
    """Gathers results in the order of the arguments."""
    play(
        learner, "gather",
        "gather(soup, tea, pie), which await a door each; the doors finish as pie, soup, tea",
        "soup begins, tea begins, pie begins, pie goes on, soup goes on, tea goes on,"
        " run returned ['soup', 'tea', 'pie']",
        ALL, "All are tasks from the beginning; the list is made when the last one ends.",
    )  # fmt: skip


def check_gather_nothing(learner: Learner) -> None:
    """Gathers nothing."""
    play(learner, "nothing", "await gather()", "run returned []", "nobody is waited for",
         "No callback will ever come.")  # fmt: skip


def check_gather_fails(learner: Learner) -> None:
    """Cancels the others when one raises, and waits for their clean-up."""
    play(
        learner, "fails", "gather(soup, tea, pie); tea raises ValueError; soup needs a moment to"
        " clean up and pie raises KeyError while it does",
        "soup begins, tea begins, pie begins, tea raises, soup cleans up, pie cleans up,"
        " soup is clean, gather raised ValueError, run raised ValueError",
        ALL, "Note the first error and cancel; raise it when the last one has ended.",
    )  # fmt: skip


def check_gather_cancelled(learner: Learner) -> None:
    """Cancels all when the one who waits is cancelled."""
    play(
        learner, "cancelled", "task.cancel() while the task awaits gather(soup, tea)",
        "soup begins, tea begins, soup cleans up, tea cleans up, soup is clean, tea is clean,"
        " gather raised Cancelled, run raised Cancelled",
        ALL, "task.cancel() calls cancel() of what it awaits: that is yours to define.",
    )  # fmt: skip


PROGRAMS = """
def play(program, names):
    diary = []
    run, call_soon, Future, Task, Cancelled, gather = names.values()
    doors = {}

    def door(name):
        return doors.setdefault(name, Future())

    async def pause(rounds=4):
        for _ in range(rounds):
            future = Future()
            call_soon(future.finish)
            await future

    async def dish(name, error=None, slow=False):
        diary.append(f"{name} begins")
        try:
            await door(name)
        except Cancelled:
            diary.append(f"{name} cleans up")
            if slow:
                await pause()
                diary.append(f"{name} is clean")
            if error:
                raise error from None
            raise
        if error:
            diary.append(f"{name} raises")
            raise error
        diary.append(f"{name} goes on")
        return name

    async def plain(error=None):
        diary.append("soup begins")
        if error:
            raise error
        return 7

    async def openings(*order):
        for name in order:
            await pause()
            door(name).finish()

    def cancel(task):
        diary.append(f"cancel() returned {task.cancel()}")

    async def waits():
        tasks = [Task(dish("soup")), Task(dish("tea"))]
        await openings("tea", "soup")
        return [await task for task in tasks]

    async def error_at_await():
        async def soup():
            diary.append("soup begins")
            try:
                await door("soup")
            except KeyError:
                diary.append("soup caught KeyError")
            return "soup"

        task = Task(soup())
        await pause()
        door("soup").finish(error=KeyError("soup"))
        return await task

    async def cancel_waiting():
        task = Task(dish("soup"))
        await pause()
        cancel(task)
        return await task

    async def cancel_before():
        task = Task(dish("soup"))
        cancel(task)
        return await task

    async def cancel_ready():
        task = Task(dish("soup"))
        await pause()
        door("soup").finish()
        cancel(task)
        return await task

    async def cancel_once():
        async def soup():
            try:
                await door("soup")
            except Cancelled:
                diary.append("cancelled")
            await pause()
            diary.append("cleaned up")
            return "sorry"

        task = Task(soup())
        await pause()
        door("soup").finish()
        task.cancel()
        return await task

    async def cancel_done():
        task = Task(plain())
        await pause()
        cancel(task)
        await pause()
        return await task

    async def gathers():
        Task(openings("pie", "soup", "tea"))
        return await gather(dish("soup"), dish("tea"), dish("pie"))

    async def nothing():
        return await gather()

    async def gathered(*dishes):
        try:
            return await gather(*dishes)
        except BaseException as error:
            diary.append(f"gather raised {type(error).__name__}")
            raise

    async def fails():
        Task(openings("tea"))
        return await gathered(
            dish("soup", slow=True), dish("tea", ValueError("tea")), dish("pie", KeyError("pie"))
        )

    async def cancelled():
        async def menu():
            return await gathered(dish("soup", slow=True), dish("tea", slow=True))

        task = Task(menu())
        await pause()
        task.cancel()
        return await task

    programs = {
        "value": plain, "error": lambda: plain(ValueError("soup")), "gather": gathers,
        "waits": waits, "error_at_await": error_at_await, "cancel_waiting": cancel_waiting,
        "cancel_before": cancel_before, "cancel_ready": cancel_ready, "cancel_once": cancel_once,
        "cancel_done": cancel_done, "nothing": nothing, "fails": fails, "cancelled": cancelled,
    }
    try:
        return diary, f"run returned {run(programs[program]())!r}"
    except (ValueError, KeyError, RuntimeError, Cancelled) as error:
        if isinstance(error, NotImplementedError):
            raise
        return diary, f"run raised {type(error).__name__}"
"""
