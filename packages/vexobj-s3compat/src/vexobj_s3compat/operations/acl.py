"""Canned ACLs, by header and by `?acl`: `private` and `public-read` are what can be told apart.

Other canned names narrow to `private` (bucket-owner-*, authenticated-read, ...), never widen, so
that applications which send them keep working; `public-read-write` of an object is
`public-read`, of a bucket it is refused. Grants to single accounts are refused, not forgotten.
"""

from collections.abc import Mapping

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import InvalidRequest, MalformedACLError, NotImplementedYet
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import bucket_input, invalid_argument, leaf, version_id
from vexobj_s3compat.operations._output import owner_element, shape_empty, xml_response
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    AclOutput,
    ObjectInput,
    PutBucketAclInput,
    PutObjectAclInput,
)
from vexobj_s3compat.xml import Element, children, parse

PRIVATE = "private"
PUBLIC_READ = "public-read"
_ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_DOCUMENT_LIMIT_BYTES = 64 * 1024
_NARROWED = frozenset(
    {
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-full-control",
        "bucket-owner-read",
        "log-delivery-write",
    }
)
_GRANT_HEADERS = (
    "x-amz-grant-read",
    "x-amz-grant-full-control",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
)


def canned_from_headers(headers: Mapping[str, str], *, bucket: bool = False) -> str | None:
    """The canned ACL that a request asks for, None if it does not say.

    Raises:
        InvalidArgument: an unknown name.
        InvalidRequest: a canned ACL and grants at once.
        NotImplementedYet: grants other than reading by everybody.
    """
    name = headers.get("x-amz-acl")
    grants = [header for header in _GRANT_HEADERS if header in headers]
    if grants:
        if name is not None:
            raise InvalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
        return _from_grant_headers(headers, grants)
    if name is None:
        return None
    if name in {PRIVATE, PUBLIC_READ}:
        return name
    if name in _NARROWED:
        return PRIVATE
    if name == "public-read-write":
        if bucket:
            raise NotImplementedYet(fields={"Header": "x-amz-acl"})
        return PUBLIC_READ
    raise invalid_argument("x-amz-acl", name, "Invalid canned ACL")


def _from_grant_headers(headers: Mapping[str, str], grants: list[str]) -> str:
    for header in grants:
        grantees = [grantee.strip() for grantee in headers[header].split(",")]
        if header != "x-amz-grant-read" or any(
            grantee.replace('"', "") != f"uri={_ALL_USERS}" for grantee in grantees
        ):
            raise NotImplementedYet(fields={"Header": header})
    return PUBLIC_READ


def canned_from_document(data: bytes) -> str:
    """The canned ACL that an AccessControlPolicy is equal to.

    Raises:
        MalformedACLError, MalformedXML.
        NotImplementedYet: it grants something else.
    """
    root = parse(data, "AccessControlPolicy")
    owner = _named(root, "Owner")
    owner_id = None if owner is None else leaf(owner, "ID")
    grants = _named(root, "AccessControlList")
    if grants is None:
        raise MalformedACLError
    canned = PRIVATE
    for grant in children(grants, "Grant"):
        grantee = _named(grant, "Grantee")
        permission = leaf(grant, "Permission")
        if grantee is None or permission is None:
            raise MalformedACLError
        if leaf(grantee, "URI") == _ALL_USERS and permission == "READ":
            canned = PUBLIC_READ
        elif not (
            permission == "FULL_CONTROL"
            and owner_id is not None
            and leaf(grantee, "ID") == owner_id
        ):
            raise NotImplementedYet
    return canned


def _named(parent: Element, name: str) -> Element | None:
    return next(iter(children(parent, name)), None)


def _wanted(call: Call, *, bucket: bool) -> str:
    canned = canned_from_headers(call.headers, bucket=bucket)
    if call.document.strip():
        if canned is not None:
            raise InvalidRequest("This request does not support content")
        return canned_from_document(call.document)
    if canned is None:
        raise InvalidRequest("An ACL must be given by x-amz-acl, by grants or in the body")
    return canned


def _parse_object(call: Call) -> ObjectInput:
    return ObjectInput(call.bucket, call.key, version_id(call))


def _parse_put_bucket(call: Call) -> PutBucketAclInput:
    return PutBucketAclInput(call.bucket, _wanted(call, bucket=True))


def _parse_put_object(call: Call) -> PutObjectAclInput:
    return PutObjectAclInput(call.bucket, call.key, _wanted(call, bucket=False), version_id(call))


async def _shape_get(_: Call, __: object, output: AclOutput) -> Response:
    grants = _grant(
        f'<Grantee {_XSI} xsi:type="CanonicalUser">{_inner_owner(output)}</Grantee>',
        "FULL_CONTROL",
    )
    if output.canned == PUBLIC_READ:
        grants += _grant(
            f'<Grantee {_XSI} xsi:type="Group"><URI>{_ALL_USERS}</URI></Grantee>', "READ"
        )
    return xml_response(
        "AccessControlPolicy",
        owner_element(output.owner),
        f"<AccessControlList>{grants}</AccessControlList>",
    )


def _inner_owner(output: AclOutput) -> str:
    return owner_element(output.owner).removeprefix("<Owner>").removesuffix("</Owner>")


def _grant(grantee: str, permission: str) -> str:
    return f"<Grant>{grantee}<Permission>{permission}</Permission></Grant>"


OPERATIONS = (
    Operation(
        name="GetBucketAcl",
        method="GET",
        target=Target.BUCKET,
        subresource="acl",
        parse=bucket_input,
        backend="get_bucket_acl",
        shape=_shape_get,
    ),
    Operation(
        name="PutBucketAcl",
        method="PUT",
        target=Target.BUCKET,
        subresource="acl",
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=_parse_put_bucket,
        backend="put_bucket_acl",
        shape=shape_empty,
    ),
    Operation(
        name="GetObjectAcl",
        method="GET",
        target=Target.OBJECT,
        subresource="acl",
        parameters=frozenset({"versionId"}),
        parse=_parse_object,
        backend="get_object_acl",
        shape=_shape_get,
    ),
    Operation(
        name="PutObjectAcl",
        method="PUT",
        target=Target.OBJECT,
        subresource="acl",
        parameters=frozenset({"versionId"}),
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=_parse_put_object,
        backend="put_object_acl",
        shape=shape_empty,
    ),
)
