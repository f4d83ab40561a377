"""One function decides who may do what: pure, over values."""

from vexobj_auth.types import Action, BucketFacts, ObjectFacts, Principal, Refusal


def decide(
    principal: Principal | None,
    action: Action,
    bucket: BucketFacts | None = None,
    obj: ObjectFacts | None = None,
) -> Refusal | None:
    """None when allowed. Key flags and scope first, then owner, ACL, public flag."""
    raise NotImplementedError
