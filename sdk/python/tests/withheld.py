"""Reads a list whose pages withhold values, in both clients, which say so to on_withheld and nowhere else."""

import asyncio
import os

import contextvault as cv

customer = os.environ["CUSTOMER"]
want = [("passport", "purpose_required")] * 3


async def main() -> None:
    told: list[tuple[str, str]] = []

    def note(all_of_it: list[cv.Withheld]) -> None:
        told.extend((one.name, one.reason) for one in all_of_it)

    with cv.Vault(on_withheld=note) as vault:
        versions = list(vault.list_history(customer, "passport", limit=1))
        assert [version.value for version in versions] == [None, None], versions
        assert vault.get_customer(customer).withheld[0].name == "passport"
        assert list(vault.list_history(customer, "plan")) and told == want, told
    told.clear()
    async with cv.AsyncVault(on_withheld=note) as vault:
        assert len([version async for version in vault.list_history(customer, "passport", limit=1)]) == 2
        await vault.get_customer(customer)
    assert told == want, told


asyncio.run(main())
