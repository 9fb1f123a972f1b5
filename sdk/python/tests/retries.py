"""Writes a value, in both clients, through a server that loses the first answers. The Go test counts the versions."""

import asyncio
import os

import contextvault as cv

common = {"agent_id": os.environ["AGENT"], "name": "plan", "value": "gold", "source": "user_provided"}


async def main() -> None:
    with cv.Vault(wait=60) as vault:
        assert vault.write_value(customer_id=os.environ["CUSTOMER"], **common).status == "succeeded"
    async with cv.AsyncVault(wait=60) as vault:
        assert (await vault.write_value(customer_id=os.environ["OTHER_CUSTOMER"], **common)).status == "succeeded"
    try:
        cv.Vault("http://127.0.0.1:1", "key").get_health()
    except cv.UnreachableError as error:
        assert error.code == "unreachable"
    else:
        raise SystemExit("nobody answers, and there is no error")


asyncio.run(main())
