"""Carries out jobs, a line of JSON each, in a forked process each: `python -m support.stepping`.

It is started with the shim loaded, has imported all that is needed, and has no threads, so that
a process for a job costs milliseconds, and may die.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from support.stepping import batch, world
from support.stepping.operations import ACTS, ENDED, STORY, Stage, back_up
from support.stepping.shim import Fault, Shim
from vexobj_storage import ObjectStore, StorageError
from vexobj_storage.testing import invariants
from vexobj_storage.testing.helpers import content, make_bucket, put

_PATIENCE_SECONDS = 60

Job = dict[str, Any]
Say = Callable[..., None]


async def _build(job: Job, setup: world.Setup, shim: Shim, say: Say) -> None:
    store = await world.Setup(setup.directory, setup.seals, masters=(world.MASTER,)).open(shim)
    await world.build(store)
    if job["needs"] == "rot":
        await world.rot(store)
    say(seen=await world.observe(store))
    if job["needs"] == "kill":
        _die()
    if job["needs"] == "backup":
        await back_up(Stage(setup, shim, store))
    await store.close()


async def _act(job: Job, setup: world.Setup, shim: Shim, say: Say) -> None:
    act, fault = ACTS[job["act"]], Fault(job["fault"])
    stage = Stage(act.setup(setup), shim)
    if act.needs not in {"nothing", "kill"}:
        await stage.open()
    shim.watch(setup.directory)
    shim.break_at(fault, job["step"], job["number"])
    try:
        await act.run(stage)
    except StorageError as error:
        say(outcome=type(error).__name__)
    else:
        say(outcome="done")
    say(steps=shim.leave())
    if fault is Fault.KILL:
        _die()
    if stage.opened is None:
        await stage.open()
    say(seen=await world.observe(stage.store))
    if fault is not Fault.NONE:
        await _go_on(stage)
        say(goes_on=True)
    await stage.close()


async def _go_on(stage: Stage) -> None:
    bucket = await make_bucket(stage.store, name=world.AFTERWARDS)
    await put(stage.store, bucket, b"key", world.LAST)


async def _story(_: Job, setup: world.Setup, shim: Shim, say: Say) -> None:
    """The world from its first start on, and all that can be done in it, one after the other."""
    shim.watch(setup.directory, data=True)
    building = Stage(replace(setup, masters=(world.MASTER,)), shim)
    await building.open()
    await world.build(building.store)
    states = [await world.observe(building.store)]
    shim.mark(f"{ENDED}the beginning")
    await building.close()
    for act in STORY:
        stage = Stage(act.setup(setup), shim)
        await stage.open()
        await act.run(stage)
        shim.mark(f"{ENDED}{act.name}")
        if stage.opened is None:
            await stage.open()
        states.append(await world.observe(stage.store))
        await stage.close()
    say(states=states)


async def _until_released(store: ObjectStore) -> None:
    """A backup that was killed keeps the collection waiting for a moment."""
    while (await store.backup_state()).running:  # noqa: ASYNC110 - time ends it, not a task
        await asyncio.sleep(0.05)


async def _check(job: Job, setup: world.Setup, shim: Shim, say: Say) -> None:
    """What is there after a restart; the same without its garbage; and after doing it again."""
    act = ACTS[job["act"]]
    stage = Stage(act.setup(setup), shim)
    await stage.open()
    store = stage.store
    say(seen=await world.observe(store))
    if job["goes_on"]:
        kept = await content(store, await store.bucket(world.AFTERWARDS), b"key")
        say(goes_on=kept == world.LAST)
    await _until_released(store)
    if job["proved"]:
        proof = ACTS[job["proved"]].proof
        assert proof is not None
        say(proof=await proof(stage))
    if act.again:
        await act.run(stage)
        say(again=await world.observe(store))
        if act.proof:
            say(proof_again=await act.proof(stage))
    await store.sweep_orphans(timedelta(0))
    while (report := await store.collect_garbage()).removed or report.condemned:
        continue
    orphans = await invariants(store)
    say(orphans=len(orphans), cleaned=await world.observe(store))
    await stage.close()


async def _prepare_batch(_: Job, setup: world.Setup, shim: Shim, _say: Say) -> None:
    await batch.prepare(setup.directory, shim)


async def _batch(job: Job, setup: world.Setup, shim: Shim, say: Say) -> None:
    fault = Fault(job["fault"]), job["step"], job["number"]
    say(**await batch.run(setup.directory, shim, fault))


async def _after_batch(_: Job, setup: world.Setup, shim: Shim, say: Say) -> None:
    say(**await batch.seen(setup.directory, shim))


_KINDS = {
    "prepare batch": _prepare_batch,
    "batch": _batch,
    "after batch": _after_batch,
    "build": _build,
    "act": _act,
    "check": _check,
    "story": _story,
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _run(job: Job, pipe: int) -> None:
    def say(**said: Any) -> None:
        os.write(pipe, json.dumps(said).encode() + b"\n")

    signal.alarm(_PATIENCE_SECONDS)
    setup = world.Setup(Path(job["directory"]), job["seals"])
    try:
        asyncio.run(_KINDS[job["kind"]](job, setup, Shim(Path(job["log"])), say))
    except BaseException:  # noqa: BLE001 - it is what is reported
        say(failed=traceback.format_exc())
    os._exit(0)


def main() -> None:
    gc.freeze()  # what is shared with the children is not written to
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _run(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said: Job = {}
            for words in pipe:
                said |= json.loads(words)
        _, status = os.waitpid(child, 0)
        print(json.dumps(said | {"status": os.waitstatus_to_exitcode(status)}), flush=True)


main()
