"""vexobjctl webhooks: who is told of events, and what became of it."""

from enum import StrEnum
from typing import Annotated

import typer

from vexobj_cli.output import show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import Delivery

app = typer.Typer(help="Who is told of events.", no_args_is_help=True)

WebhookId = Annotated[str, typer.Argument(help="The webhook's id.")]
Number = Annotated[
    int | None, typer.Option(help="The number of one delivery; without it all that are dead.")
]


class State(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@app.command("list")
def list_webhooks(context: typer.Context) -> None:
    """Show the webhooks, and how many deliveries are in which state."""
    with session(context).client() as client:
        found = client.list_webhooks()
    if session(context).json:
        show_json(found)
        return
    show_table(
        ("ID", "URL", "EVENTS", "OBJECTS", "ENABLED", "WAITING", "DEAD"),
        [
            (
                each.id,
                each.url,
                ",".join(each.events),
                f"{each.bucket or '*'}/{each.prefix}*",
                each.enabled,
                each.waiting,
                each.dead,
            )
            for each in found
        ],
    )


@app.command()
def create(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Where events are sent to.")],
    event: Annotated[
        list[str] | None, typer.Option(help="Like `object.*`; can be given several times.")
    ] = None,
    bucket: Annotated[str | None, typer.Option(help="Only events of this bucket.")] = None,
    prefix: Annotated[str, typer.Option(help="Only events of keys that begin so.")] = "",
) -> None:
    """Send events to a URL from now on; the secret that signs them is shown only now."""
    with session(context).client() as client:
        made = client.create_webhook(url, events=event or ["*"], bucket=bucket, prefix=prefix)
    if session(context).json:
        show_json(made)
        return
    print(f"created {made.webhook.id}")
    print(f"secret  {made.secret}")
    print("Store the secret now: it is not shown again.")


@app.command()
def delete(context: typer.Context, webhook: WebhookId) -> None:
    """Remove a webhook and all its deliveries."""
    with session(context).client() as client:
        client.delete_webhook(webhook)
    if not session(context).json:
        print(f"deleted {webhook}")


@app.command()
def enable(context: typer.Context, webhook: WebhookId) -> None:
    """Send to it again, what waits and what happens from now on."""
    _switch(context, webhook, enabled=True)


@app.command()
def disable(context: typer.Context, webhook: WebhookId) -> None:
    """Send it nothing, and tell it of nothing that happens meanwhile."""
    _switch(context, webhook, enabled=False)


@app.command()
def test(context: typer.Context, webhook: WebhookId) -> None:
    """Send an event that did not happen; exit code 1 if it is not taken."""
    with session(context).client() as client:
        told = client.test_webhook(webhook)
    if session(context).json:
        show_json(told)
    elif told.delivered:
        print(f"delivered: the answer was {told.status}, after {told.duration_ms} ms")
    else:
        print(f"not delivered: {told.error}")
    if not told.delivered:
        raise typer.Exit(1)


@app.command()
def deliveries(
    context: typer.Context,
    webhook: WebhookId,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    event: Annotated[str | None, typer.Option(help="Only events of this name.")] = None,
    before: Annotated[int | None, typer.Option(help="Only of smaller numbers.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
) -> None:
    """Show what was sent and what is to be, the newest first."""
    with session(context).client() as client:
        found = client.list_deliveries(
            webhook,
            state=None if state is None else state.value,
            event=event,
            before=before,
            limit=limit,
        )
    if session(context).json:
        show_json(found)
    else:
        heads = ("NUMBER", "WHEN", "EVENT", "OBJECT", "STATE", "ATTEMPTS", "LAST ERROR")
        show_table(heads, map(_row, found))


@app.command()
def replay(context: typer.Context, webhook: WebhookId, number: Number = None) -> None:
    """Begin anew with a delivery, or with all that were given up."""
    with session(context).client() as client:
        count = client.replay_deliveries(webhook, number)
    if session(context).json:
        show_json({"replayed": count})
    else:
        print(f"{count} will be sent again")


@app.command()
def discard(context: typer.Context, webhook: WebhookId, number: Number = None) -> None:
    """Forget a delivery, or all that were given up."""
    with session(context).client() as client:
        count = client.delete_deliveries(webhook, number)
    if session(context).json:
        show_json({"deleted": count})
    else:
        print(f"{count} forgotten")


def _switch(context: typer.Context, webhook: str, *, enabled: bool) -> None:
    with session(context).client() as client:
        changed = client.update_webhook(webhook, enabled=enabled)
    if session(context).json:
        show_json(changed)
    else:
        print(f"{'enabled' if enabled else 'disabled'} {changed.id}")


def _row(delivery: Delivery) -> tuple[object, ...]:
    data = delivery.data
    where = "/".join(str(data[name]) for name in ("bucket", "key") if name in data)
    return (
        delivery.number,
        delivery.timestamp,
        delivery.event,
        where,
        delivery.state,
        delivery.attempts,
        delivery.error or "",
    )
