"""The whole app: the command line promotes, and the server that runs answers with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import openai
import pytest
from typer.testing import CliRunner

from chatapp import bootstrap, bootstrap_training
from chatapp.__main__ import cli
from chatapp.flows import adapters_live
from chatapp.settings import load_settings
from tests.adapters import KeywordClassifier, Registry, classify_report, classify_run
from tests.faces.api_app import WAIT
from tests.fakes import FakeEngine

WORDS = {"refund": ["money"], "delivery": ["parcel"]}


def run(*arguments: str) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output


async def test_the_command_line_changes_what_a_running_server_answers_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATAPP_DATA", str(tmp_path))
    monkeypatch.setattr(bootstrap_training, "_open_classifier", KeywordClassifier)
    monkeypatch.setattr(adapters_live, "_POLL_SECONDS", 0.05)
    settings = load_settings(port=0)
    database = bootstrap.open_database(settings)
    registry = Registry(database, tmp_path / "training", None)
    registry.learn("shop")
    registry.adapters.register(
        classify_run(tmp_path / "training" / "runs", "bank", WORDS, classify_report())
    )
    database.close()

    engine, up, addresses = FakeEngine(model="parrot"), asyncio.Event(), list[str]()

    def announce(address: str) -> None:
        addresses.append(address)
        up.set()

    listener = bootstrap.listen("127.0.0.1", 0)
    serving = asyncio.create_task(bootstrap.serve(settings, engine, listener, announce))
    try:
        async with asyncio.timeout(WAIT):
            await up.wait()
        async with (
            httpx.AsyncClient(timeout=WAIT) as http,
            openai.AsyncOpenAI(
                base_url=f"{addresses[0]}/v1", api_key="none", max_retries=0, timeout=WAIT
            ) as client,
        ):

            async def answered_with(adapter: str | None) -> None:
                async with asyncio.timeout(WAIT):
                    while True:
                        await client.chat.completions.create(
                            model="parrot", messages=[{"role": "user", "content": "Hi"}]
                        )
                        if engine.asked[-1].adapter == adapter:
                            return

            async def classified() -> int:
                sent = {"input": "my money"}
                answer = await http.post(f"{addresses[0]}/v1/classify", json=sent)
                return answer.status_code

            await answered_with(None)
            await asyncio.to_thread(run, "adapters", "promote", "shop")
            await answered_with("shop")
            await asyncio.to_thread(run, "adapters", "rollback", "chat")
            await answered_with(None)
            assert await classified() == 404
            await asyncio.to_thread(run, "adapters", "promote", "bank")
            async with asyncio.timeout(WAIT):
                while await classified() != 200:
                    pass
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
