"""What a page says to a program: the hosts it names, and the key of its forms."""

import re

from serving.accounts import signed_in

HOSTS = re.compile(r"""(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})""", re.IGNORECASE)


def hosts(page: str) -> set[str]:
    """The hosts that a page names, but for the name of SVG's namespace, which is never fetched."""
    return set(HOSTS.findall(page)) - {"www.w3.org"}


def form_key(page: str) -> str:
    return re.search(r'name="form_key" value="([^"]+)"', page)[1]


def actor_of(installation, role: str):
    """The signed-in actor of a role's account."""
    with installation.engine.connect() as connection:
        return signed_in(connection, installation.token(role)).actor
