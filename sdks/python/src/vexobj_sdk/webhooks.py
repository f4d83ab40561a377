"""The client's calls about webhooks and their deliveries."""

from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import quote

from vexobj_sdk.connection import Connection, each, given
from vexobj_sdk.models import CreatedWebhook, Delivery, Json, Webhook, WebhookTest

_PATH = "/v1/admin/webhooks"


class WebhookCalls(Connection):
    def create_webhook(
        self,
        url: str,
        *,
        events: Sequence[str] = ("*",),
        bucket: str | None = None,
        prefix: str = "",
        secret: str | None = None,
        enabled: bool = True,
    ) -> CreatedWebhook:
        """Send events to `url` from now on; without `secret` the server makes one.

        In `events` a `*` stands for any characters. The secret is told only now.
        """
        wanted = given(
            url=url,
            events=list(events),
            bucket=bucket,
            prefix=prefix,
            secret=secret,
            enabled=enabled,
        )
        return self._json(CreatedWebhook.parse, "POST", _PATH, json=wanted)

    def list_webhooks(self) -> list[Webhook]:
        """The oldest first."""
        return self._json(each("webhooks", Webhook.parse), "GET", _PATH)

    def get_webhook(self, webhook_id: str) -> Webhook:
        return self._json(Webhook.parse, "GET", _path(webhook_id))

    def update_webhook(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        bucket: str | None = "",
        prefix: str | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """What is left out stays; `bucket` None means all buckets.

        One that is disabled is sent nothing, and told of nothing that happens meanwhile.
        """
        change: dict[str, Any] = given(
            url=url,
            events=None if events is None else list(events),
            prefix=prefix,
            enabled=enabled,
        )
        if bucket != "":
            change["bucket"] = bucket
        return self._json(Webhook.parse, "PATCH", _path(webhook_id), json=change)

    def delete_webhook(self, webhook_id: str) -> None:
        """With all its deliveries."""
        self._request("DELETE", _path(webhook_id))

    def test_webhook(self, webhook_id: str) -> WebhookTest:
        """Send it an event that did not happen, once and now."""
        return self._json(WebhookTest.parse, "POST", f"{_path(webhook_id)}/test")

    def list_deliveries(
        self,
        webhook_id: str,
        *,
        state: Literal["waiting", "delivered", "dead"] | None = None,
        event: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Delivery]:
        """The newest first, 1000 at most; `before` goes on below the last one's `number`."""
        query = given(state=state, event=event, before=before, limit=limit)
        parse = each("deliveries", Delivery.parse)
        return self._json(parse, "GET", f"{_path(webhook_id)}/deliveries", params=query)

    def replay_deliveries(self, webhook_id: str, number: int | None = None) -> int:
        """Begin anew with one that is delivered or dead, or with all that are dead; how many."""
        path = f"{_path(webhook_id)}/replay"
        return self._json(_count("replayed"), "POST", path, params=given(number=number))

    def delete_deliveries(self, webhook_id: str, number: int | None = None) -> int:
        """Forget one, whatever its state, or all that are dead; how many."""
        path = f"{_path(webhook_id)}/deliveries"
        return self._json(_count("deleted"), "DELETE", path, params=given(number=number))


def _path(webhook_id: str) -> str:
    return f"{_PATH}/{quote(webhook_id, safe='')}"


def _count(name: str) -> Callable[[Json], int]:
    return lambda data: int(data[name])
