"""What a service that cannot be used is said to lack, and whose a prefix is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from support.faulty import Refuse, faulty_proxy
from support.s3services import EVERY_MAKE
from vexobj_storage.blobs import probe
from vexobj_storage.blobs.service import S3BlobConfig, S3Service
from vexobj_storage.errors import BlobServiceUnusable


async def said(config: S3BlobConfig, store_id: str = "one") -> tuple[str, str]:
    service = await S3Service.open(config)
    try:
        with pytest.raises(BlobServiceUnusable) as caught:
            await probe.claim(service, store_id)
    finally:
        await service.close()
    return caught.value.setting, caught.value.reason


@pytest.fixture
async def service(s3_config: S3BlobConfig) -> AsyncIterator[S3Service]:
    service = await S3Service.open(s3_config)
    yield service
    await service.close()


@EVERY_MAKE
async def test_what_is_wrong_is_told(s3_config: S3BlobConfig) -> None:
    missing = await said(replace(s3_config, bucket="no-such-bucket"))
    assert missing[0] == "bucket"
    assert missing[1].startswith("there is no bucket no-such-bucket at http://127.0.0.1:")
    stranger = await said(replace(s3_config, access_key_id="NOBODY0123456789AB"))
    assert stranger == ("access_key_id", "the service does not know NOBODY0123456789AB")
    secret = await said(replace(s3_config, secret_access_key="wrong" * 8))
    assert secret[0] == "secret_access_key"


async def test_a_wrong_region_is_told(s3_config: S3BlobConfig) -> None:
    """Neither of the services at hand minds."""
    async with faulty_proxy(s3_config.endpoint) as proxy:
        proxy.first(1, Refuse(400, "AuthorizationHeaderMalformed"), "GET")
        setting, reason = await said(replace(s3_config, endpoint=proxy.url))
    assert setting == "region"
    assert "the service wants another one" in reason


async def test_an_endpoint_that_is_none_is_told(s3_config: S3BlobConfig) -> None:
    async with faulty_proxy(s3_config.endpoint) as gone:
        pass
    setting, reason = await said(replace(s3_config, endpoint=gone.url))
    assert setting == "endpoint"
    assert reason.startswith(f"{gone.url} cannot be reached (")


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "403 Forbidden"])
async def test_a_web_site_is_no_service(s3_config: S3BlobConfig, status: str) -> None:
    page = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(page.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as site:
        url = f"http://127.0.0.1:{site.sockets[0].getsockname()[1]}"
        setting, reason = await said(replace(s3_config, endpoint=url))
    assert (setting, reason.partition("(")[0].strip()) == (
        "endpoint",
        f"{url} does not answer as an S3 service",
    )


async def test_a_right_that_is_missing_is_told(s3_config: S3BlobConfig) -> None:
    async with faulty_proxy(s3_config.endpoint) as proxy:
        for method, verb in (("PUT", "write"), ("DELETE", "delete"), ("GET", "list")):
            proxy.first(9, Refuse(403, "AccessDenied"), method)
            setting, reason = await said(replace(s3_config, endpoint=proxy.url))
            assert setting == "access_key_id"
            assert f"may not {verb} in bucket blobs" in reason


@EVERY_MAKE
async def test_a_prefix_has_one_owner(service: S3Service) -> None:
    await probe.check(service, "one")
    await probe.claim(service, "one")
    await probe.claim(service, "one")
    await probe.check(service, "one")
    with pytest.raises(BlobServiceUnusable) as caught:
        await probe.claim(service, "another")
    assert caught.value.setting == "prefix"
    assert "holds the blobs of another store" in caught.value.reason
    with pytest.raises(BlobServiceUnusable):
        await probe.check(service, "another")


@EVERY_MAKE
async def test_versions_are_noticed(service: S3Service) -> None:
    assert await probe.keeps_versions(service) is False
