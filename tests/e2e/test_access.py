"""Who may do what, in both APIs: a table of operations and callers against a real server."""

import asyncio
import base64
import hashlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from support.endpoint import Endpoint
from vexobj_s3compat.sigv4.signer import Signer
from vexobj_server.testing import RunningServer

CALLERS = (
    "owner",
    "reader, the owner's key that reads",
    "writer, the owner's key that writes",
    "keeper, the owner's key that reads and writes but never deletes",
    "here, the owner's key with the private bucket as its scope",
    "there, the owner's key with other buckets as its scope",
    "stranger, another identity",
    "admin",
    "governor, an admin's key with other buckets as its scope",
    "expired, the owner's key of yesterday",
    "revoked, the owner's key that was deleted",
    "nobody",
)
NAMES = [caller.partition(",")[0] for caller in CALLERS]
UNPROVEN = {"expired", "revoked", "nobody"}

Pair = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """An operation, and its answer to each of CALLERS in turn: `+` done, `-` refused, `0` 404.

    Names in braces are buckets (private, public, listed, theirs) and what is made anew for every
    caller: `key` an object of the private bucket, `upload` a begun upload of it, `bucket` an empty
    bucket, `new` a name. `done` is the status of `+`.
    """

    name: str
    cells: str
    method: str
    path: str
    done: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    presigned: bool = False


DELETE = "<Delete><Object><Key>{key}</Key></Object></Delete>"
COMPLETE = (
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    "</CompleteMultipartUpload>"
)
PRIVATE = {"x-amz-acl": "private"}


def copy(source: str) -> dict[str, str]:
    return {"x-amz-copy-source": source}


# fmt: off
S3 = [
    #                        orwkhtsagxvn
    Row("ListBuckets",      "++-+++++" "+---", "GET", "/"),
    Row("CreateBucket",     "+-++--++" "----", "PUT", "/{new}"),
    Row("DeleteBucket",     "+------+" "----", "DELETE", "/{bucket}", 204),
    Row("HeadBucket",       "++-++--+" "----", "HEAD", "/{private}"),
    Row("GetBucketLocation","++-++--+" "----", "GET", "/{private}?location"),
    Row("GetBucketVersioning","++-++--+" "----", "GET", "/{private}?versioning"),
    Row("GetBucketPolicy",  "++-++--+" "----", "GET", "/{private}?policy", 404),
    Row("GetBucketAcl",     "++-++--+" "----", "GET", "/{private}?acl"),
    Row("PutBucketAcl",     "+-+++--+" "----", "PUT", "/{private}?acl", headers=PRIVATE),
    Row("ListObjects",      "++-++--+" "----", "GET", "/{private}"),
    Row("ListObjectsV2",    "++-++--+" "----", "GET", "/{private}?list-type=2"),
    Row("ListObjectVersions","++-++--+" "----", "GET", "/{private}?versions"),
    Row("ListMultipartUploads","++-++--+" "----", "GET", "/{private}?uploads"),
    Row("ListObjects of a public bucket",
                            "++-+-+-+" "+---", "GET", "/{public}"),
    Row("ListObjects where the ACL lets everybody read",
                            "++-+-+++" "+--+", "GET", "/{listed}"),
    Row("GetBucketAcl where the ACL lets everybody read",
                            "++-+-+-+" "+---", "GET", "/{listed}?acl"),
    Row("PutObject where the ACL lets everybody read",
                            "+-++-+-+" "+---", "PUT", "/{listed}/{new}"),
    Row("GetObject where the ACL lets everybody list",
                            "++-+-+-+" "+---", "GET", "/{listed}/there"),
    Row("PutObject",        "+-+++--+" "----", "PUT", "/{private}/{new}", body="x"),
    Row("PutObject over another",
                            "+-+++--+" "----", "PUT", "/{private}/{key}", body="x"),
    Row("PutObject, presigned",
                            "+-+++--+" "----", "PUT", "/{private}/{new}", body="x",
        presigned=True),
    Row("GetObject",        "++-++--+" "----", "GET", "/{private}/there"),
    Row("GetObject by /s3", "++-++--+" "----", "GET", "/s3/{private}/there"),
    Row("GetObject, presigned",
                            "++-++--+" "----", "GET", "/{private}/there", presigned=True),
    Row("GetObject of a range",
                            "++-++--+" "----", "GET", "/{private}/there", 206,
        headers={"range": "bytes=0-0"}),
    Row("GetObject of a version",
                            "++-++--+" "----", "GET", "/{private}/there?versionId=null"),
    Row("HeadObject",       "++-++--+" "----", "HEAD", "/{private}/there"),
    Row("GetObject of what is not there",
                            "00-00--0" "----", "GET", "/{private}/absent"),
    Row("GetObject of a public bucket",
                            "++-+-+++" "+--+", "GET", "/{public}/there"),
    Row("GetObject of what is not in a public bucket",
                            "00-0-0-0" "0---", "GET", "/{public}/absent"),
    Row("GetObject of what is shared",
                            "++-++-++" "---+", "GET", "/{private}/shared"),
    Row("GetObjectAcl",     "++-++--+" "----", "GET", "/{private}/there?acl"),
    Row("GetObjectAcl of what is shared",
                            "++-++--+" "----", "GET", "/{private}/shared?acl"),
    Row("GetObjectTagging", "++-++--+" "----", "GET", "/{private}/there?tagging"),
    Row("GetObjectTagging of what is shared",
                            "++-++--+" "----", "GET", "/{private}/shared?tagging"),
    Row("GetObjectTagging of a public bucket",
                            "++-+-+-+" "+---", "GET", "/{public}/there?tagging"),
    Row("PutObjectAcl",     "+-+++--+" "----", "PUT", "/{private}/{key}?acl", headers=PRIVATE),
    Row("PutObjectAcl of what is shared",
                            "+-+++--+" "----", "PUT", "/{private}/shared?acl",
        headers={"x-amz-acl": "public-read"}),
    Row("PutObjectAcl of a public bucket",
                            "+-++-+-+" "+---", "PUT", "/{public}/there?acl", headers=PRIVATE),
    Row("PutObject in a public bucket",
                            "+-++-+-+" "+---", "PUT", "/{public}/{new}", body="x"),
    Row("DeleteObject in a public bucket",
                            "+----+-+" "+---", "DELETE", "/{public}/{new}", 204),
    Row("DeleteObject",     "+---+--+" "----", "DELETE", "/{private}/{key}", 204),
    Row("DeleteObject of a version",
                            "+---+--+" "----", "DELETE", "/{private}/{key}?versionId=null", 204),
    Row("DeleteObject of what is not there",
                            "+---+--+" "----", "DELETE", "/{private}/absent", 204),
    Row("DeleteObjects",    "+---+--+" "----", "POST", "/{private}?delete", body=DELETE),
    Row("CopyObject",       "+--++--+" "----", "PUT", "/{private}/{new}",
        headers=copy("{private}/there")),
    Row("CopyObject out of another's bucket",
                            "-------+" "----", "PUT", "/{private}/{new}",
        headers=copy("{theirs}/there")),
    Row("CopyObject out of a public bucket",
                            "+--+---+" "----", "PUT", "/{private}/{new}",
        headers=copy("{public}/there")),
    Row("CopyObject into another's bucket",
                            "-------+" "----", "PUT", "/{theirs}/{new}",
        headers=copy("{private}/there")),
    Row("CopyObject of what is shared",
                            "------++" "----", "PUT", "/{theirs}/{new}",
        headers=copy("{private}/shared")),
    Row("CopyObject of what is not there",
                            "0--00--0" "----", "PUT", "/{private}/{new}",
        headers=copy("{private}/absent")),
    Row("CopyObject of what is not in another's bucket",
                            "-------0" "----", "PUT", "/{private}/{new}",
        headers=copy("{theirs}/absent")),
    Row("CreateMultipartUpload",
                            "+-+++--+" "----", "POST", "/{private}/{new}?uploads"),
    Row("UploadPart",       "+-+++--+" "----", "PUT",
        "/{private}/{key}?partNumber=2&uploadId={upload}", body="x"),
    Row("UploadPart of no upload",
                            "0-000--0" "----", "PUT",
        "/{private}/{key}?partNumber=2&uploadId=0", body="x"),
    Row("UploadPartCopy",   "+--++--+" "----", "PUT",
        "/{private}/{key}?partNumber=2&uploadId={upload}", headers=copy("{private}/there")),
    Row("UploadPartCopy out of another's bucket",
                            "-------+" "----", "PUT",
        "/{private}/{key}?partNumber=2&uploadId={upload}", headers=copy("{theirs}/there")),
    Row("ListParts",        "++-++--+" "----", "GET", "/{private}/{key}?uploadId={upload}"),
    Row("ListParts of no upload",
                            "00-00--0" "----", "GET", "/{private}/{key}?uploadId=0"),
    Row("CompleteMultipartUpload",
                            "+-+++--+" "----", "POST", "/{private}/{key}?uploadId={upload}",
        body=COMPLETE),
    Row("AbortMultipartUpload",
                            "+-+++--+" "----", "DELETE", "/{private}/{key}?uploadId={upload}", 204),
]

NATIVE = [
    #                        orwkhtsagxvn
    Row("list buckets",     "++-+++++" "+---", "GET", "/v1/buckets"),
    Row("create bucket",    "+-++--++" "----", "POST", "/v1/buckets", 201, body='{"name":"{new}"}'),
    Row("get bucket",       "++-++--+" "----", "GET", "/v1/buckets/{private}"),
    Row("get public bucket","++-+-+-+" "+---", "GET", "/v1/buckets/{public}"),
    Row("make it public",   "+-++---+" "----", "PATCH", "/v1/buckets/{bucket}",
        body='{"public":true}'),
    Row("claim a host name","-------+" "----", "PATCH", "/v1/buckets/{bucket}",
        body='{"settings":{"host_aliases":["{new}.example.com"]}}'),
    Row("delete bucket",    "+------+" "----", "DELETE", "/v1/buckets/{bucket}", 204),
    Row("list objects",     "++-++--+" "----", "GET", "/v1/objects/{private}"),
    Row("list a public bucket",
                            "++-+-+-+" "+---", "GET", "/v1/objects/{public}"),
    Row("list where the ACL lets everybody read, but a key is asked for",
                            "++-+-+++" "+---", "GET", "/v1/objects/{listed}"),
    Row("put object",       "+-+++--+" "----", "PUT", "/v1/objects/{private}/{new}", 201, body="x"),
    Row("put object over another",
                            "+-+++--+" "----", "PUT", "/v1/objects/{private}/{key}", 201, body="x"),
    Row("put object by key","+-+++--+" "----", "PUT", "/v1/object/{private}?key={new}", 201,
        body="x"),
    Row("stream object up", "+-+++--+" "----", "PUT", "/v1/stream/{private}/{new}", 201, body="x"),
    Row("put object in a public bucket",
                            "+-++-+-+" "+---", "PUT", "/v1/objects/{public}/{new}", 201, body="x"),
    Row("get object",       "++-++--+" "----", "GET", "/v1/objects/{private}/there"),
    Row("get object by key","++-++--+" "----", "GET", "/v1/object/{private}?key=there"),
    Row("stream object down","++-++--+" "----", "GET", "/v1/stream/{private}/there"),
    Row("get a version",    "++-++--+" "----", "GET",
        "/v1/objects/{private}/there?version_id=null"),
    Row("get a range",      "++-++--+" "----", "GET", "/v1/objects/{private}/there", 206,
        headers={"range": "bytes=0-0"}),
    Row("head object",      "++-++--+" "----", "HEAD", "/v1/objects/{private}/there"),
    Row("get what is not there",
                            "00-00--0" "----", "GET", "/v1/objects/{private}/absent"),
    Row("get of a public bucket",
                            "++-+-+++" "+--+", "GET", "/v1/objects/{public}/there"),
    Row("get what is not in a public bucket",
                            "00-0-000" "0--0", "GET", "/v1/objects/{public}/absent"),
    Row("get what is shared","++-++-++" "---+", "GET", "/v1/objects/{private}/shared"),
    Row("delete object",    "+---+--+" "----", "DELETE", "/v1/objects/{private}/{key}", 204),
    Row("delete object by key",
                            "+---+--+" "----", "DELETE", "/v1/object/{private}?key={key}", 204),
    Row("delete a version", "+---+--+" "----", "DELETE",
        "/v1/objects/{private}/{key}?version_id=null", 204),
    Row("delete what is not there",
                            "0---0--0" "----", "DELETE", "/v1/objects/{private}/absent"),
    Row("list identities",  "-------+" "----", "GET", "/v1/admin/identities"),
    Row("create identity",  "-------+" "----", "POST", "/v1/admin/identities", 201,
        body='{"display_name":"x"}'),
    Row("list keys",        "-------+" "----", "GET", "/v1/admin/keys"),
    Row("create key",       "-------+" "----", "POST", "/v1/admin/keys", 201, body='{"name":"x"}'),
    Row("delete a key that is not there",
                            "-------0" "----", "DELETE", "/v1/admin/keys/absent"),
    Row("collect garbage",  "-------+" "----", "POST", "/v1/admin/gc"),
    Row("stats",            "-------+" "----", "GET", "/v1/stats"),
]
# fmt: on


class World:
    """Two identities, their buckets and a key of every kind."""

    def __init__(self, endpoint: Endpoint, http: httpx.AsyncClient) -> None:
        self.endpoint = endpoint
        self._http = http
        self._numbers = itertools.count()
        self._mark = secrets.token_hex(4)
        self._root = (endpoint.access_key_id, endpoint.secret_access_key)
        self.pairs: dict[str, Pair | None] = {"admin": self._root, "nobody": None}
        self.names = {
            name: f"{name}-{self._mark}" for name in ("private", "public", "listed", "theirs")
        }

    async def build(self) -> None:
        owner, stranger = [await self._identity(name) for name in ("owner", "stranger")]
        every = {"read": True, "write": True, "delete": True}
        private, *others = (self.names[name] for name in ("private", "public", "listed"))
        for name, permissions, scope in (
            ("owner", every, []),
            ("reader", {"read": True}, []),
            ("writer", {"write": True}, []),
            ("keeper", {"read": True, "write": True}, []),
            ("here", every, [private]),
            ("there", every, others),
            ("revoked", every, []),
        ):
            self.pairs[name] = await self._key(owner, permissions, scope)
        self.pairs["stranger"] = await self._key(stranger, every)
        self.pairs["governor"] = await self._key(owner, {"admin": True}, others)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        self.pairs["expired"] = await self._key(owner, every, expires_at=yesterday)
        for name, native in (("private", {}), ("public", {"public": True}), ("listed", {})):
            await self.native("owner", "POST", "/v1/buckets", {"name": self.names[name], **native})
        await self.s3("owner", "PUT", f"/{self.names['listed']}?acl", {"x-amz-acl": "public-read"})
        await self.s3("stranger", "PUT", f"/{self.names['theirs']}")
        for name, bucket in self.names.items():
            caller = "stranger" if name == "theirs" else "owner"
            await self.s3(caller, "PUT", f"/{bucket}/there", {"x-amz-tagging": "a=b"}, b"there")
        shared = {"x-amz-acl": "public-read"}
        await self.s3("owner", "PUT", f"/{private}/shared", shared, b"shared")
        await self.native("admin", "DELETE", f"/v1/admin/keys/{(self.pairs['revoked'] or '?')[0]}")

    async def _identity(self, name: str) -> str:
        made = await self.native("admin", "POST", "/v1/admin/identities", {"display_name": name})
        identity: str = made.json()["id"]
        return identity

    async def _key(
        self,
        identity: str,
        permissions: Mapping[str, bool],
        scope: list[str] | None = None,
        expires_at: datetime | None = None,
    ) -> Pair:
        access = {"type": "specific", "buckets": scope} if scope else {"type": "all"}
        wanted = {
            "name": "of a test",
            "identity": identity,
            "permissions": permissions,
            "bucket_access": access,
            "expires_at": None if expires_at is None else expires_at.isoformat(),
        }
        made = (await self.native("admin", "POST", "/v1/admin/keys", wanted)).json()
        return made["access_key_id"], made["secret"]

    async def native(
        self, caller: str, method: str, path: str, json: object = None
    ) -> httpx.Response:
        """A step on the way: it must succeed."""
        pair = self.pairs[caller]
        headers = {} if pair is None else {"authorization": f"Bearer {pair[1]}"}
        answer = await self._http.request(method, self.endpoint.url + path, json=json,
                                          headers=headers)  # fmt: skip
        assert answer.is_success, answer.text
        return answer

    async def s3(
        self, caller: str, method: str, path: str, headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> httpx.Response:  # fmt: skip
        """A step on the way: it must succeed."""
        answer = await self._signed(self.pairs[caller], method, path, headers or {}, body)
        assert answer.is_success, answer.text
        return answer

    async def ask(self, row: Row, caller: str) -> int:
        """The status of this operation for this caller, everything that it needs made anew."""
        values = {**self.names, "new": f"new-{self._mark}-{next(self._numbers)}"}
        text = row.path + row.body
        private = self.names["private"]
        if "{bucket}" in text:
            values["bucket"] = f"empty-{self._mark}-{next(self._numbers)}"
            await self.native("owner", "POST", "/v1/buckets", {"name": values["bucket"]})
        if "{key}" in text:
            values["key"] = f"key-{next(self._numbers)}"
            await self.s3("owner", "PUT", f"/{private}/{values['key']}", body=b"x")
        if "{upload}" in text:
            path = f"/{private}/{values['key']}"
            begun = (await self.s3("owner", "POST", f"{path}?uploads")).text
            values["upload"] = begun.partition("<UploadId>")[2].partition("<")[0]
            part = await self.s3(
                "owner", "PUT", f"{path}?partNumber=1&uploadId={values['upload']}", body=b"x"
            )
            values["etag"] = part.headers["etag"]

        def filled(template: str) -> str:
            for name, value in values.items():
                template = template.replace("{" + name + "}", value)
            return template

        path, body = filled(row.path), filled(row.body).encode()
        headers = {name: filled(value) for name, value in row.headers.items()}
        pair = self.pairs[caller]
        if path.startswith("/v1/"):
            if pair is not None:
                headers["authorization"] = f"Bearer {pair[1]}"
            if body.startswith(b"{"):
                headers["content-type"] = "application/json"
            return (await self._send(row.method, path, headers, body)).status_code
        if row.presigned and pair is not None:
            raw, _, _ = path.partition("?")
            host = {"host": urlsplit(self.endpoint.url).netloc}
            query = Signer(*pair).presign(
                row.method, raw.encode(), b"", host, now=time.time(), expires_seconds=60
            )
            return (await self._send(row.method, f"{raw}?{query.decode()}", {}, body)).status_code
        return (await self._signed(pair, row.method, path, headers, body)).status_code

    async def _signed(
        self, pair: Pair | None, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        sent = {"host": urlsplit(self.endpoint.url).netloc, **headers}
        if "?delete" in path:
            sent["content-md5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
        if pair is not None:
            raw, _, query = path.partition("?")
            sent = Signer(*pair).sign(
                method, raw.encode(), query.encode(), sent,
                now=time.time(), payload_hash=hashlib.sha256(body).hexdigest(),
            )  # fmt: skip
        return await self._send(method, path, sent, body)

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        url = httpx.URL(self.endpoint.url, raw_path=path.encode())
        return await self._http.request(method, url, content=body, headers=dict(headers))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(server: RunningServer) -> AsyncIterator[World]:
    endpoint = Endpoint.of(server)
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        made = World(endpoint, http)
        await made.build()
        yield made


def expected(row: Row) -> dict[str, int]:
    native = row.path.startswith("/v1/")

    def status(caller: str, cell: str) -> int:
        if cell == "+":
            return row.done
        if cell == "0":
            return 404
        return 401 if native and caller in UNPROVEN else 403

    return {caller: status(caller, cell) for caller, cell in zip(NAMES, row.cells, strict=True)}


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("row", [*S3, *NATIVE], ids=lambda row: row.name)
async def test_the_table(world: World, row: Row) -> None:
    answers = await asyncio.gather(*(world.ask(row, caller) for caller in NAMES))
    assert dict(zip(NAMES, answers, strict=True)) == expected(row)
