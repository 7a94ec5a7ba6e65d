"""The whole app as its users start it, on the bundled model: page, API and command line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from openai import AsyncOpenAI
from playwright.async_api import Page, async_playwright, expect

from tests.faces.browser import ARGUMENTS, CHROMIUM, DESKTOP
from tests.real.conftest import ROOT, RunningApp

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

LONG_QUESTION = "Explain in detail, step by step, how a refund works."

COUNT_GROWTH = """
() => {
  window.lengths = new Set();
  new MutationObserver(() => {
    const answer = document.querySelector("#thread .bot-row .message-content");
    if (answer) window.lengths.add(answer.innerText.length);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}
"""


async def open_page(page: Page, app: RunningApp) -> None:
    await page.goto(app.address)
    await expect(page.locator("#model-line .model-line")).to_be_attached(timeout=40_000)


async def test_eight_clients_stream_at_once_with_usage(app: RunningApp) -> None:
    client = AsyncOpenAI(base_url=f"{app.address}/v1", api_key="none")
    order: list[tuple[int, str]] = []

    async def ask(number: int) -> tuple[str, int]:
        stream = await client.chat.completions.create(
            model="SmolLM2-135M-Instruct",
            messages=[
                {"role": "user", "content": f"Write three sentences about the number {number}."}
            ],
            max_tokens=48,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
        text, tokens = "", 0
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                order.append((number, "text"))
                text += chunk.choices[0].delta.content
            if chunk.usage:
                tokens = chunk.usage.completion_tokens
        order.append((number, "end"))
        return text, tokens

    answers = await asyncio.gather(*(ask(number) for number in range(8)))
    assert all(text and 1 < tokens <= 48 for text, tokens in answers)
    first_end = next(index for index, (_, what) in enumerate(order) if what == "end")
    assert {number for number, _ in order[:first_end]} == set(range(8)), "not batched"


async def test_all_processes_together_stay_under_one_and_a_half_gibibytes(app: RunningApp) -> None:
    client = AsyncOpenAI(base_url=f"{app.address}/v1", api_key="none")
    manual = "The parcel is at the depot. " * 150

    async def ask(number: int) -> None:
        await client.chat.completions.create(
            model="SmolLM2-135M-Instruct",
            messages=[{"role": "user", "content": f"{number} {manual} Summarise this."}],
            max_tokens=16,
        )

    await asyncio.gather(*(ask(number) for number in range(8)))
    used = sum(process.memory_info().rss for process in app.processes())
    assert used < 1.5 * 2**30, f"{used / 2**30:.2f} GiB"


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM}")
async def test_an_answer_grows_survives_a_reload_and_a_kill(app: RunningApp) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await (await browser.new_context(**DESKTOP)).new_page()
        await open_page(page, app)
        await page.evaluate(COUNT_GROWTH)
        await page.fill("#composer textarea", "Write four sentences about the sea.")
        await page.keyboard.press("Enter")
        answer = page.locator("#thread .bot-row .message-content")
        await expect(page.locator("#thread .figures")).to_be_visible(timeout=60_000)
        assert await page.evaluate("window.lengths.size") >= 5
        text = await answer.inner_text()

        await page.reload()
        await expect(answer).to_have_text(text, use_inner_text=True, timeout=40_000)

        await page.fill("#composer textarea", LONG_QUESTION)
        await page.keyboard.press("Enter")
        await page.wait_for_function(
            "document.querySelectorAll('#thread .bot-row .message-content')[1]"
            "?.innerText.length > 40"
        )
        worker = app.processes()[1]
        app.kill()
        shown = await answer.nth(1).inner_text()
        psutil.wait_procs([worker], timeout=20)
        assert not worker.is_running(), "the model's process outlived the app"

        app.start()
        await open_page(page, app)
        await page.locator("#conversations a.open").first.click()
        await expect(answer).to_have_count(2, timeout=40_000)
        kept = await answer.nth(1).inner_text()
        assert " ".join(kept.split()).startswith(" ".join(shown.split())[:40])
        assert len(kept) >= len(shown) - 2, (shown, kept)
        await browser.close()


def test_ctrl_c_ends_every_process(app: RunningApp) -> None:
    processes = app.processes()
    assert len(processes) > 1
    assert app.stop() in (0, 130)
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert alive == []


def run(*arguments: str, data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chatapp", *arguments],
        env={**os.environ, "CHATAPP_DATA": str(data), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_ask_streams_to_the_terminal_and_writes_json(bundled_data: Path) -> None:
    ended = run("ask", "Say hello.", "--json", data=bundled_data)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert result["answer"]
    assert result["engine"]["engine"] == "openvino"
    assert result["usage"]["completion_tokens"] > 0


def test_a_failure_is_one_sentence_and_exit_code_one(bundled_data: Path) -> None:
    ended = run("ask", "Hello", "--persona", "pirate", data=bundled_data)
    assert ended.returncode == 1
    assert "There is no persona 'pirate'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_stops_the_start_with_its_name(tmp_path: Path) -> None:
    ended = run("serve", data=tmp_path, CHATAPP_PORT="high")
    assert ended.returncode == 1
    assert ended.stderr.strip() == "CHATAPP_PORT is set to 'high', but must be a whole number."


def test_wrong_usage_is_exit_code_two(tmp_path: Path) -> None:
    assert run("serve", "--colour", "red", data=tmp_path).returncode == 2
