"""The loops that tell webhooks of events."""

from datetime import timedelta

from vexobj_server.jobs.loops import Loop
from vexobj_server.services.webhooks import Webhooks

_OFTEN = timedelta(seconds=0.5)
_TRIM = timedelta(seconds=60)


def fanning_out(webhooks: Webhooks) -> tuple[Loop, ...]:
    """For one process of all."""
    return (
        Loop("webhook events", _OFTEN, webhooks.fan_out),
        Loop("webhook retention", _TRIM, webhooks.trim),
    )


def delivering(webhooks: Webhooks) -> Loop:
    """For every process. Where there is nothing to send it costs one small read."""
    return Loop("webhook deliveries", _OFTEN, webhooks.deliver)
