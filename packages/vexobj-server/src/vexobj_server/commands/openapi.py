"""`vexobj openapi`: the contract of the native API, as it is served at /openapi.yaml."""

import sys


def print_openapi() -> int:
    from vexobj_server.rest.openapi import openapi_yaml

    sys.stdout.write(openapi_yaml())
    return 0
