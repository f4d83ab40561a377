"""ListBuckets: the one operation on the service itself."""

from vexobj_s3compat.call import Call
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import (
    decode_token,
    encode_token,
    integer,
    invalid_argument,
    key_bytes,
)
from vexobj_s3compat.operations._output import optional, owner_element, xml_response
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import ListBucketsInput, ListBucketsOutput
from vexobj_s3compat.xml import element, timestamp

_BUCKETS_LIMIT = 10_000


def parse_list_buckets(call: Call) -> ListBucketsInput:
    limit = integer(call, "max-buckets", default=_BUCKETS_LIMIT, minimum=1)
    if limit > _BUCKETS_LIMIT:
        raise invalid_argument(
            "max-buckets", str(limit), f"Argument max-buckets must be at most {_BUCKETS_LIMIT}"
        )
    token = call.parameters.get("continuation-token", "")
    return ListBucketsInput(
        prefix=key_bytes(call, "prefix").decode(),
        max_buckets=limit,
        continuation_token=decode_token("continuation-token", token).decode() if token else "",
    )


async def shape_list_buckets(
    call: Call, _: ListBucketsInput, output: ListBucketsOutput
) -> Response:
    buckets = "".join(
        f"<Bucket>{element('Name', bucket.name)}"
        f"<CreationDate>{timestamp(bucket.created_at)}</CreationDate></Bucket>"
        for bucket in output.buckets
    )
    token = output.continuation_token
    return xml_response(
        "ListAllMyBucketsResult",
        owner_element(output.owner),
        f"<Buckets>{buckets}</Buckets>",
        optional("ContinuationToken", None if token is None else encode_token(token.encode())),
        optional("Prefix", call.parameters.get("prefix")),
    )


OPERATIONS = (
    Operation(
        name="ListBuckets",
        method="GET",
        target=Target.SERVICE,
        parameters=frozenset({"prefix", "max-buckets", "continuation-token", "bucket-region"}),
        parse=parse_list_buckets,
        backend="list_buckets",
        shape=shape_list_buckets,
    ),
)
