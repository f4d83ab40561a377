"""An S3 endpoint and the credentials for it, as each client wants to be told of them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from vexobj_server.testing import RunningServer


@dataclass(frozen=True)
class Endpoint:
    url: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"

    @classmethod
    def of(cls, server: RunningServer) -> Self:
        return cls(server.url, server.access_key_id, server.secret_access_key)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def boto3(self, **options: Any) -> Any:
        """A client in path style unless `options` say otherwise."""
        s3 = {"addressing_style": "path", **options.pop("s3", {})}
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=self.region,
            config=Config(
                signature_version="s3v4", retries={"total_max_attempts": 1}, s3=s3, **options
            ),
        )

    def aws_environment(self) -> dict[str, str]:
        """For aws-cli: nothing of the user's own configuration gets in."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.devnull,
            "AWS_CONFIG_FILE": str(Path(__file__).parent / "aws.ini"),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }

    def rclone_environment(self) -> dict[str, str]:
        """A remote called `store`: path style, and everything else as for AWS, no quirks.

        The provider is `Other` because rclone before 1.66 insists on bucket hosts for `AWS`.
        """
        return {
            "PATH": os.environ["PATH"],
            "RCLONE_CONFIG": os.devnull,
            "RCLONE_CONFIG_STORE_TYPE": "s3",
            "RCLONE_CONFIG_STORE_PROVIDER": "Other",
            "RCLONE_CONFIG_STORE_LIST_VERSION": "2",
            "RCLONE_CONFIG_STORE_LIST_URL_ENCODE": "true",
            "RCLONE_CONFIG_STORE_USE_MULTIPART_ETAG": "true",
            "RCLONE_CONFIG_STORE_FORCE_PATH_STYLE": "true",
            "RCLONE_CONFIG_STORE_ENDPOINT": self.url,
            "RCLONE_CONFIG_STORE_REGION": self.region,
            "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": self.access_key_id,
            "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": self.secret_access_key,
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "1",
        }
