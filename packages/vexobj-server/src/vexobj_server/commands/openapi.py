"""`vexobj openapi`: the contract of the native API, as it is served at /openapi.yaml."""

import sys


def print_openapi() -> int:
    from vexobj_server.rest.app import openapi_document
    from vexobj_server.rest.openapi import openapi_yaml

    sys.stdout.write(openapi_yaml(openapi_document()))
    return 0
