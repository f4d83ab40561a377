"""Ids: new ones in every process, whatever a program does with its random numbers."""

import os
import random

from vexobj_storage.ids import new_id


def test_ids_cluster_by_time_and_spread_by_their_tail() -> None:
    ids = [new_id() for _ in range(1000)]
    assert [each[:6] for each in ids] == sorted(each[:6] for each in ids)
    assert len({each[-2:] for each in ids}) > 900


def test_a_program_that_seeds_its_own_numbers_gets_new_ids() -> None:
    random.seed(1)
    first = new_id()
    random.seed(1)
    assert new_id()[6:] != first[6:]


def test_a_forked_process_makes_ids_of_its_own() -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id())
        os._exit(0)
    mine, theirs = new_id(), os.read(reading, 16)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
    assert mine[6:] != theirs[6:]
