"""The power goes at any step: what was synced is there, of the rest anything may be."""

import random
from collections.abc import Iterator

import pytest

from support.stepping.rounds import runner
from support.stepping.story import Story

_NEEDED = ["sync staged blob", "sync blobs/*/*", "sync blobs/*", "sync blobs", "sync log"]


@pytest.fixture(scope="module", params=["plain", "sealed"])
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    with runner(tmp_path_factory.mktemp("power")) as running:
        yield Story(running, seals=request.param == "sealed")


def _cut(story: Story, at: list[int], seed: int) -> None:
    """Once with nothing kept that was not synced, once with some of it."""
    losses = [loss for chance in (None, random.Random(seed)) for loss in story.losses(at, chance)]
    for loss in losses:
        if loss is not None:
            raise loss
    print(f"{len(at)} of {len(story.cuts)} places, {len(losses)} cuts from seed {seed}, 0 losses")


@pytest.mark.timeout(300)
def test_power_is_cut_at_some_steps(story: Story) -> None:
    seed = random.randrange(2**31)
    _cut(story, sorted(random.Random(seed).sample([cut.at for cut in story.cuts], 6)), seed)


@pytest.mark.torture
def test_power_is_cut_at_every_step(story: Story) -> None:
    _cut(story, [cut.at for cut in story.cuts], random.randrange(2**31))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", ["plain"], indirect=True)
@pytest.mark.parametrize("sync", _NEEDED)
def test_a_sync_that_is_left_out_is_noticed(story: Story, sync: str) -> None:
    at = next(cut.at for cut in story.cuts if cut.ended)
    assert list(story.losses([at], None)) == [None]
    assert list(story.losses([at], None, ignored=sync)) != [None]


@pytest.mark.torture
def test_every_sync_is_needed(story: Story) -> None:
    """Somewhere: those of a journal only while it is used, those of a move only in its midst."""
    chance = random.Random(1)
    for sync in story.syncs:
        at = [cut.at for cut in story.cuts]
        noticed = any(loss is not None for loss in story.losses(at, chance, ignored=sync))
        print(f"{sync}: {'needed' if noticed else 'not noticed'}")
        assert noticed
