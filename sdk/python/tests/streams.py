"""Follows the feed through a server that cuts its streams, with both clients, and checks the signature of a webhook.

It prints the id of each event. DELIVERY is a delivery of the vault as JSON: its headers, body and secret.
"""

import asyncio
import json
import os

import contextvault as cv
from contextvault import errors

count = int(os.environ["COUNT"])
selection = {"types": "value.changed,consent.changed", "values": True}


async def follow() -> list[cv.models.FeedEvent]:
    seen: list[cv.models.FeedEvent] = []
    async with cv.AsyncVault() as vault:
        async for event in vault.watch_events(**selection):
            seen.append(event)
            if len(seen) == count:
                break
    return seen


with cv.Vault() as vault:
    blocking: list[cv.models.FeedEvent] = []
    for event in vault.watch_events(**selection):
        blocking.append(event)
        if len(blocking) == count:
            break
    try:
        next(vault.watch_events(after=999999))
        raise SystemExit("a position that does not exist is accepted")
    except errors.InvalidInputError as error:
        assert error.field == "after"
try:
    next(cv.Vault(key="cv_wrong").watch_events())
    raise SystemExit("a wrong key is accepted")
except errors.UnauthenticatedError:
    pass
assert asyncio.run(follow()) == blocking, "the clients differ"
print(*[f"{event.id} {event.value}" for event in blocking], sep="\n")

delivery = json.loads(os.environ["DELIVERY"])
body, headers, secret = delivery["body"].encode(), delivery["headers"], delivery["secret"]
message = cv.verify_webhook(body, headers, secret)
assert message.type == "value.changed" and message.data == blocking[0], message
assert message.id == headers["Webhook-Id"] and cv.verify_webhook(body, headers, ["whsec_AAAA", secret]) == message
for content, sent, key in [
    (body + b" ", headers, secret), (body, headers, "whsec_AAAA"), (body, headers, []), (body, headers, "whsec_%"),
    (body, headers | {"Webhook-Timestamp": "1"}, secret), (body, {}, secret), (body, headers | {"Webhook-Timestamp": "²"}, secret),
]:
    try:
        cv.verify_webhook(content, sent, key)
        raise SystemExit("a request that is no delivery is accepted")
    except cv.SignatureError:
        pass
