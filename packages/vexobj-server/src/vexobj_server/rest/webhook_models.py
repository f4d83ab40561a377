"""The JSON of webhooks and their deliveries, as values."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from vexobj_server.rest.models import Input, Model, Moment
from vexobj_server.settings.kinds import EVENT_NAMES, HTTP_URL, Kind
from vexobj_storage import DeliveryState

State = Literal["waiting", "delivered", "dead"]
STATES: dict[State, DeliveryState] = {
    "waiting": DeliveryState.WAITING,
    "delivered": DeliveryState.DELIVERED,
    "dead": DeliveryState.DEAD,
}


def _as(kind: Kind) -> AfterValidator:
    """What the settings take, so that both ways to a webhook take the same."""

    def parse(given: Any) -> Any:
        try:
            parsed = kind.parse(given)
        except ValueError as error:
            raise ValueError(f"it is not {error}") from None
        return list(parsed) if isinstance(given, list) else parsed

    return AfterValidator(parse)


Url = Annotated[str, _as(HTTP_URL)]
Events = Annotated[list[str], Field(min_length=1, max_length=100), _as(EVENT_NAMES)]


class NewWebhook(Input):
    """`events` are names; `*` stands for any characters. Without `bucket` those of all buckets."""

    url: Url
    events: Events = Field(default=["*"])
    bucket: str | None = Field(default=None, max_length=63)
    prefix: str = Field(default="", max_length=1024)
    secret: str | None = Field(
        default=None, min_length=16, max_length=256, description="Made by the server when left out."
    )
    enabled: bool = True


class WebhookChange(Input):
    """What is left out stays."""

    url: Url | None = None
    events: Events | None = None
    bucket: str | None = Field(default=None, max_length=63, description="null: of all buckets.")
    prefix: str | None = Field(default=None, max_length=1024)
    enabled: bool | None = None


class WebhookInfo(Model):
    """The counts are of deliveries; `oldest_at` is when the oldest event happened that waits."""

    id: str
    url: str
    events: list[str]
    bucket: str | None
    prefix: str
    enabled: bool
    signed: bool
    from_settings: bool = Field(description="It is changed in the settings only.")
    created_at: Moment
    waiting: int
    delivered: int
    dead: int
    oldest_at: Moment | None


class WebhookList(Model):
    webhooks: list[WebhookInfo]


class CreatedWebhook(Model):
    webhook: WebhookInfo
    secret: str
    warning: str


class WebhookTest(Model):
    """`status` is that of the answer, if there was one; `error` says why it does not count."""

    delivered: bool
    status: int | None
    error: str | None
    duration_ms: int


class DeliveryInfo(Model):
    """`due_at` is when it is tried next; `finished_at` when it was delivered or given up.

    `status` and `error` are of the last attempt.
    """

    number: int
    event_id: str
    event: str
    timestamp: Moment
    sequence: int | None
    data: dict[str, Any]
    state: State
    attempts: int
    due_at: Moment | None
    finished_at: Moment | None
    status: int | None
    error: str | None


class DeliveryPage(Model):
    """`before` asks for the next page; null at the end."""

    deliveries: list[DeliveryInfo]
    before: int | None


class ReplayedDeliveries(Model):
    replayed: int


class DeletedDeliveries(Model):
    deleted: int
