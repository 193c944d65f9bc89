"""The paged list that the management APIs of the twins share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from provisioner.sandbox.dispatch import Call
from provisioner.sandbox.replies import Reply
from provisioner.sandbox.strict import number
from provisioner.sandbox.tenancy import Credential

#: The query parameters that `listing` reads.
QUERY = ("label", "page", "page_size")


def listing(show: Callable[[Credential], Mapping[str, object]]) -> Callable[[Call], Reply]:
    """A handler that answers one page of the tenant's live credentials, each as `show` shows it."""

    def handler(call: Call) -> Reply:
        page = number(call.query, "page", default=1, highest=1_000_000)
        size = number(call.query, "page_size", default=100, highest=500)
        found, following = call.data.page(label=call.query.get("label"), page=page, size=size)
        return Reply(200, {"items": [show(credential) for credential in found], "next": following})

    return handler
