"""A bucket's lifecycle configuration: its XML read and written.

Transitions are refused, not forgotten: there is one storage class. The prefix that old clients
put beside the rule's other elements is told back as a filter.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import InvalidRequest, MalformedXML, NotImplementedYet
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import bucket_input, invalid_argument, leaf
from vexobj_s3compat.operations._output import (
    optional,
    shape_empty,
    shape_no_content,
    xml_response,
)
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    BucketInput,
    LifecycleOutput,
    LifecycleRule,
    PutBucketLifecycleInput,
)
from vexobj_s3compat.xml import Element, child_text, children, element, parse, timestamp

_DOCUMENT_LIMIT_BYTES = 4 * 1024 * 1024
_MAX_RULES = 1000
_ID_LIMIT = 255
_INT_LIMIT = 2**63 - 1
_ACTIONS = frozenset(
    {"Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}
)
_TRANSITIONS = frozenset({"Transition", "NoncurrentVersionTransition"})
_PREDICATES = frozenset({"Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"})


def parse_put_lifecycle(call: Call) -> PutBucketLifecycleInput:
    root = parse(call.document, "LifecycleConfiguration")
    if not 1 <= len(root.children) <= _MAX_RULES or _names(root) != {"Rule"}:
        raise MalformedXML
    rules = [_rule(rule) for rule in root.children]
    for identifier, count in Counter(rule.id for rule in rules if rule.id).items():
        if count > 1:
            raise invalid_argument("ID", identifier, "Rule ID must be unique.")
    return PutBucketLifecycleInput(call.bucket, rules)


async def shape_lifecycle(_: Call, __: BucketInput, output: LifecycleOutput) -> Response:
    return xml_response("LifecycleConfiguration", *(_rule_element(rule) for rule in output.rules))


def _rule(rule: Element) -> LifecycleRule:
    names = _names(rule)
    if names & _TRANSITIONS:
        raise NotImplementedYet("Transitions are not implemented: there is one storage class.")
    if names - _ACTIONS - {"ID", "Status", "Filter", "Prefix"} or not {"Filter", "Prefix"} & names:
        raise MalformedXML
    if not names & _ACTIONS:
        raise InvalidRequest("At least one action needs to be specified in a rule.")
    status = leaf(rule, "Status")
    if status not in {"Enabled", "Disabled"}:
        raise MalformedXML
    predicates = _predicates(rule)
    expiration = _action(rule, "Expiration", {"Days", "Date", "ExpiredObjectDeleteMarker"})
    if len(expiration.children) > 1:
        raise MalformedXML
    noncurrent = _action(
        rule, "NoncurrentVersionExpiration", {"NoncurrentDays", "NewerNoncurrentVersions"}
    )
    abort = _action(rule, "AbortIncompleteMultipartUpload", {"DaysAfterInitiation"})
    return LifecycleRule(
        id=_id(rule),
        enabled=status == "Enabled",
        prefix=child_text(predicates, "Prefix") or "",
        tags=_tags(predicates),
        size_greater_than=_integer(predicates, "ObjectSizeGreaterThan", 0),
        size_less_than=_integer(predicates, "ObjectSizeLessThan", 0),
        expiration_days=_integer(expiration, "Days"),
        expiration_date=_date(expiration),
        expired_object_delete_marker=_flag(expiration, "ExpiredObjectDeleteMarker"),
        noncurrent_days=_integer(noncurrent, "NoncurrentDays"),
        newer_noncurrent_versions=_integer(noncurrent, "NewerNoncurrentVersions"),
        abort_days=_integer(abort, "DaysAfterInitiation"),
    )


def _predicates(rule: Element) -> Element:
    """What holds the rule's conditions: And, Filter itself, or the rule with its old Prefix."""
    (*filters,) = children(rule, "Filter")
    if not filters:
        return Element("Filter", list(children(rule, "Prefix")))
    found = filters[0]
    if _names(found) == {"And"}:
        found = found.children[0]
    elif len(found.children) > 1:
        raise MalformedXML
    if len(filters) > 1 or "Prefix" in _names(rule) or _names(found) - _PREDICATES:
        raise MalformedXML
    return found


def _action(rule: Element, name: str, known: set[str]) -> Element:
    """The action's element; an empty one where the rule does not have it."""
    (*found,) = children(rule, name)
    if not found:
        return Element(name)
    if len(found) > 1 or not found[0].children or _names(found[0]) - known:
        raise MalformedXML
    return found[0]


def _tags(predicates: Element) -> Mapping[str, str]:
    tags: dict[str, str] = {}
    for tag in children(predicates, "Tag"):
        key = child_text(tag, "Key")
        if not key:
            raise MalformedXML
        if key in tags:
            raise InvalidRequest("Duplicate Tag Keys are not allowed.")
        tags[key] = child_text(tag, "Value") or ""
    return tags


def _id(rule: Element) -> str:
    identifier = child_text(rule, "ID") or ""
    if len(identifier) > _ID_LIMIT:
        raise invalid_argument(
            "ID", identifier, f"ID length should not exceed allowed limit of {_ID_LIMIT}"
        )
    return identifier


def _integer(parent: Element, name: str, minimum: int = 1) -> int | None:
    text = leaf(parent, name)
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 19):
        raise MalformedXML
    value = int(text)
    if not minimum <= value <= _INT_LIMIT:
        raise invalid_argument(name, text, f"'{name}' must be an integer of at least {minimum}")
    return value


def _flag(parent: Element, name: str) -> bool:
    text = leaf(parent, name)
    if text not in {None, "true", "false"}:
        raise MalformedXML
    return text == "true"


def _date(expiration: Element) -> datetime | None:
    text = leaf(expiration, "Date")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise MalformedXML from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if moment.time() != time.min:
        raise invalid_argument("Date", text, "'Date' must be at midnight GMT")
    return moment


def _names(parent: Element) -> set[str]:
    return {child.name for child in parent.children}


def _rule_element(rule: LifecycleRule) -> str:
    actions = {
        "Expiration": _elements(
            Days=rule.expiration_days,
            Date=None if rule.expiration_date is None else timestamp(rule.expiration_date),
            ExpiredObjectDeleteMarker="true" if rule.expired_object_delete_marker else None,
        ),
        "NoncurrentVersionExpiration": _elements(
            NoncurrentDays=rule.noncurrent_days,
            NewerNoncurrentVersions=rule.newer_noncurrent_versions,
        ),
        "AbortIncompleteMultipartUpload": _elements(DaysAfterInitiation=rule.abort_days),
    }
    told = "".join(f"<{name}>{inner}</{name}>" for name, inner in actions.items() if inner)
    status = element("Status", "Enabled" if rule.enabled else "Disabled")
    return f"<Rule>{element('ID', rule.id)}{_filter_element(rule)}{status}{told}</Rule>"


def _filter_element(rule: LifecycleRule) -> str:
    parts: Sequence[str] = [
        *([element("Prefix", rule.prefix)] if rule.prefix else ()),
        *(
            f"<Tag>{element('Key', key)}{element('Value', value)}</Tag>"
            for key, value in rule.tags.items()
        ),
        *_sizes(rule),
    ]
    if len(parts) > 1:
        parts = ["<And>", *parts, "</And>"]
    return f"<Filter>{''.join(parts) or '<Prefix></Prefix>'}</Filter>"


def _sizes(rule: LifecycleRule) -> Sequence[str]:
    more = _elements(ObjectSizeGreaterThan=rule.size_greater_than)
    less = _elements(ObjectSizeLessThan=rule.size_less_than)
    return [each for each in (more, less) if each]


def _elements(**texts: str | int | None) -> str:
    return "".join(
        optional(name, None if value is None else str(value)) for name, value in texts.items()
    )


OPERATIONS = (
    Operation(
        name="GetBucketLifecycleConfiguration",
        method="GET",
        target=Target.BUCKET,
        subresource="lifecycle",
        parse=bucket_input,
        backend="get_bucket_lifecycle",
        shape=shape_lifecycle,
    ),
    Operation(
        name="PutBucketLifecycleConfiguration",
        method="PUT",
        target=Target.BUCKET,
        subresource="lifecycle",
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=parse_put_lifecycle,
        backend="put_bucket_lifecycle",
        shape=shape_empty,
    ),
    Operation(
        name="DeleteBucketLifecycle",
        method="DELETE",
        target=Target.BUCKET,
        subresource="lifecycle",
        parse=bucket_input,
        backend="delete_bucket_lifecycle",
        shape=shape_no_content,
    ),
)
