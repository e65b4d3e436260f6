"""What every service answers where it has nothing to answer."""

import httpx2


async def answers_with_problems(client: httpx2.AsyncClient, path: str, allowed: str) -> None:
    """Fail unless an unknown path is a problem, and so is a method that `path` does not take, with those it takes."""
    for method, where, status in (("GET", "/nowhere", 404), ("GET", "/a%0Ab", 404), ("PUT", path, 405)):
        answer = await client.request(method, where)
        assert (answer.status_code, answer.json()["status"]) == (status, status), where
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].startswith("urn:comptoir:problem:")
    assert answer.headers["allow"] == allowed
