"""Object lock: retention and legal hold of versions, and the configuration of a bucket."""

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import InvalidArgument, MalformedXML
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import bucket_input, leaf, version_id
from vexobj_s3compat.operations._locks import bypasses_governance, parse_moment, retention_mode
from vexobj_s3compat.operations._output import shape_empty, xml_response
from vexobj_s3compat.operations.objects import parse_object
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    BucketInput,
    DefaultRetentionValue,
    LegalHoldOutput,
    ObjectInput,
    ObjectLockConfigurationOutput,
    PutObjectLegalHoldInput,
    PutObjectLockConfigurationInput,
    PutObjectRetentionInput,
    RetentionOutput,
    RetentionValue,
)
from vexobj_s3compat.types.locks import RetentionMode
from vexobj_s3compat.xml import Element, children, element, parse, timestamp

_DOCUMENT_LIMIT_BYTES = 64 * 1024
_LONGEST = {"Days": 36_500, "Years": 100}
_VERSION = frozenset({"versionId"})


def _parse_put_retention(call: Call) -> PutObjectRetentionInput:
    return PutObjectRetentionInput(
        call.bucket,
        call.key,
        _retention(parse(call.document, "Retention")),
        version_id(call),
        bypasses_governance(call.headers),
    )


def _retention(root: Element) -> RetentionValue | None:
    if not root.children:
        return None
    until = parse_moment(leaf(root, "RetainUntilDate") or "")
    if until is None:
        raise MalformedXML
    return RetentionValue(_mode(root), until)


def _mode(parent: Element) -> RetentionMode:
    mode = retention_mode(leaf(parent, "Mode") or "")
    if mode is None:
        raise MalformedXML
    return mode


async def _shape_retention(_: Call, __: ObjectInput, output: RetentionOutput) -> Response:
    retention = output.retention
    return xml_response(
        "Retention",
        element("Mode", retention.mode),
        element("RetainUntilDate", timestamp(retention.retain_until)),
    )


def _parse_put_legal_hold(call: Call) -> PutObjectLegalHoldInput:
    status = leaf(parse(call.document, "LegalHold"), "Status")
    if status not in {"ON", "OFF"}:
        raise MalformedXML
    return PutObjectLegalHoldInput(call.bucket, call.key, status == "ON", version_id(call))


async def _shape_legal_hold(_: Call, __: ObjectInput, output: LegalHoldOutput) -> Response:
    return xml_response("LegalHold", element("Status", "ON" if output.legal_hold else "OFF"))


def _parse_put_configuration(call: Call) -> PutObjectLockConfigurationInput:
    root = parse(call.document, "ObjectLockConfiguration")
    if leaf(root, "ObjectLockEnabled") != "Enabled":
        raise MalformedXML
    defaults = [
        default for rule in children(root, "Rule") for default in children(rule, "DefaultRetention")
    ]
    if len(defaults) != len(list(children(root, "Rule"))) or len(defaults) > 1:
        raise MalformedXML
    default = _default_retention(defaults[0]) if defaults else None
    return PutObjectLockConfigurationInput(call.bucket, default)


def _default_retention(given: Element) -> DefaultRetentionValue:
    mode = _mode(given)
    periods = {unit: text for unit in _LONGEST if (text := leaf(given, unit)) is not None}
    if len(periods) != 1:
        raise MalformedXML
    ((unit, text),) = periods.items()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10):
        raise MalformedXML
    length = int(text)
    if length < 1:
        raise InvalidArgument("Default retention period must be a positive integer value.")
    if length > _LONGEST[unit]:
        raise InvalidArgument("Default retention period too large for the selected unit.")
    if unit == "Days":
        return DefaultRetentionValue(mode, days=length)
    return DefaultRetentionValue(mode, years=length)


async def _shape_configuration(
    _: Call, __: BucketInput, output: ObjectLockConfigurationOutput
) -> Response:
    default, rule = output.default_retention, ""
    if default is not None:
        days, years = default.days, default.years
        period = f"<Years>{years}</Years>" if days is None else f"<Days>{days}</Days>"
        retention = f"{element('Mode', default.mode)}{period}"
        rule = f"<Rule><DefaultRetention>{retention}</DefaultRetention></Rule>"
    enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
    return xml_response("ObjectLockConfiguration", enabled, rule)


OPERATIONS = (
    Operation(
        name="PutObjectRetention",
        method="PUT",
        target=Target.OBJECT,
        subresource="retention",
        parameters=_VERSION,
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=_parse_put_retention,
        backend="put_object_retention",
        shape=shape_empty,
    ),
    Operation(
        name="GetObjectRetention",
        method="GET",
        target=Target.OBJECT,
        subresource="retention",
        parameters=_VERSION,
        parse=parse_object,
        backend="get_object_retention",
        shape=_shape_retention,
    ),
    Operation(
        name="PutObjectLegalHold",
        method="PUT",
        target=Target.OBJECT,
        subresource="legal-hold",
        parameters=_VERSION,
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=_parse_put_legal_hold,
        backend="put_object_legal_hold",
        shape=shape_empty,
    ),
    Operation(
        name="GetObjectLegalHold",
        method="GET",
        target=Target.OBJECT,
        subresource="legal-hold",
        parameters=_VERSION,
        parse=parse_object,
        backend="get_object_legal_hold",
        shape=_shape_legal_hold,
    ),
    Operation(
        name="PutObjectLockConfiguration",
        method="PUT",
        target=Target.BUCKET,
        subresource="object-lock",
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=_parse_put_configuration,
        backend="put_object_lock_configuration",
        shape=shape_empty,
    ),
    Operation(
        name="GetObjectLockConfiguration",
        method="GET",
        target=Target.BUCKET,
        subresource="object-lock",
        parse=bucket_input,
        backend="get_object_lock_configuration",
        shape=_shape_configuration,
    ),
)
