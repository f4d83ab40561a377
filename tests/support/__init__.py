"""What the tests of the whole product share: tools, photos, endpoints."""
