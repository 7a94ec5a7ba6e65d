"""Downloads, against a small hub of our own."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chatapp.engine.models import hub
from chatapp.engine.models.prepare import fetch, prepare, resolve
from chatapp.errors import ModelError
from tests.tiny_models import tiny_hf

COMMIT = "c0ffee" * 6 + "cafe"


class FakeHub:
    """Serves one repository, ``org/tiny``, as huggingface.co does; others are gated or absent."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.served: list[str] = []
        self.break_on: str | None = None
        self.others_served = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        path = request.path.split("?")[0]
        files = [
            {"type": "file", "path": n, "size": len(d), "oid": n} for n, d in self.files.items()
        ]
        if path.startswith("/api/models/org/gated"):
            self.send(request, b"{}", {"X-Error-Code": "GatedRepo"}, status=403)
        elif path == f"/api/models/org/tiny/tree/{COMMIT}":
            self.send(request, json.dumps(files).encode())
        elif path.startswith("/api/models/org/tiny"):
            siblings = [{"rfilename": f["path"], "size": f["size"]} for f in files]
            info = {"id": "org/tiny", "sha": COMMIT, "siblings": siblings}
            self.send(request, json.dumps(info).encode())
        elif path.startswith(f"/org/tiny/resolve/{COMMIT}/"):
            name = path.rsplit("/", 1)[1]
            if body:
                self.served.append(name)
            if body and name == self.break_on:
                self.others_served.wait(20)
                request.close_connection = True
                return
            headers = {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT}
            self.send(request, self.files[name], headers, body=body)
            if body and name != self.break_on:
                self.others_served.set()
        else:
            self.send(request, b"{}", {"X-Error-Code": "RepoNotFound"}, status=404)

    @staticmethod
    def send(
        request: BaseHTTPRequestHandler,
        data: bytes,
        headers: dict[str, str] | None = None,
        *,
        status: int = 200,
        body: bool = True,
    ) -> None:
        request.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            request.send_header(name, value)
        request.end_headers()
        if body:
            request.wfile.write(data)


@pytest.fixture
def fake_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    folder = tiny_hf(tmp_path / "origin")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    fake = FakeHub({**files, "pytorch_model.bin": b"danger", "README.md": b"hello"})
    thread = threading.Thread(target=fake.server.serve_forever)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", fake.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf_home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield fake
    fake.server.shutdown()
    thread.join()
    fake.server.server_close()


def silent(step: str, share: float | None, /) -> None:
    pass


def test_a_hub_model_is_downloaded_once_and_without_its_pickles(
    fake_hub: FakeHub, tmp_path: Path
) -> None:
    source = fetch(resolve("org/tiny"), tmp_path, silent)
    assert (source.kind, source.name) == ("hf", "org/tiny")
    assert source.path is not None
    weights = (source.path / "model.safetensors").read_bytes()
    assert weights == fake_hub.files["model.safetensors"]
    assert not (source.path / "pytorch_model.bin").exists()
    assert prepare(source, tmp_path, {"dense"}, silent).context_length == 512
    fake_hub.served.clear()
    assert fetch(resolve("org/tiny"), tmp_path, silent) == source
    assert fake_hub.served == []


def test_an_interrupted_download_goes_on_where_it_stopped(
    fake_hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_hub.break_on = "model.safetensors"
    with pytest.raises(ModelError, match="CHATAPP_MODEL=bundled needs no hub"):
        fetch(resolve("org/tiny"), tmp_path, silent)
    # The library gives up the other files when one fails; it notes those that have come whole.
    kept = {path.stem for path in tmp_path.rglob("*.metadata")}
    fake_hub.break_on = None
    fake_hub.served.clear()
    assert fetch(resolve("org/tiny"), tmp_path, silent).kind == "hf"
    assert kept
    assert kept.isdisjoint(fake_hub.served)
    assert "model.safetensors" in fake_hub.served


def test_what_the_hub_refuses_is_said_plainly(fake_hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="HF_TOKEN"):
        fetch(resolve("org/gated"), tmp_path, silent)
    with pytest.raises(ModelError, match="no model org/absent on the hub"):
        fetch(resolve("org/absent"), tmp_path, silent)
    del fake_hub.files["model.safetensors"]
    with pytest.raises(ModelError, match="Pickled weights"):
        fetch(resolve("org/tiny"), tmp_path, silent)


def test_without_a_network_the_bundled_model_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelError, match="CHATAPP_MODEL=bundled needs no hub"):
        fetch(resolve("org/tiny"), tmp_path, silent)


def test_sources_that_are_not_on_the_hub_are_left_alone(tmp_path: Path) -> None:
    source = resolve("bundled")
    assert fetch(source, tmp_path, silent) is source


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (
            ["config.json", "model-1.safetensors", "model-2.safetensors", "onnx/model.onnx"],
            {"config.json", "model-1.safetensors", "model-2.safetensors"},
        ),
        (["consolidated.safetensors", "model.safetensors"], {"model.safetensors"}),
        (["consolidated.safetensors"], {"consolidated.safetensors"}),
        (
            ["openvino_model.xml", "openvino_model.bin", "openvino_tokenizer.xml", "config.json"],
            {"openvino_model.xml", "openvino_model.bin", "config.json"},
        ),
        (["m-Q8_0.gguf", "m-q4_k_m.gguf", "m-IQ2_M.gguf"], {"m-q4_k_m.gguf"}),
        (["m-IQ2_M.gguf", "m-Q5_K_M.gguf"], {"m-IQ2_M.gguf"}),
    ],
)
def test_only_what_will_be_loaded_is_downloaded(names: list[str], chosen: set[str]) -> None:
    assert set(hub.choose("org/x", {name: len(name) for name in names})) == chosen


def test_a_gguf_in_pieces_is_not_taken_for_a_model() -> None:
    with pytest.raises(ModelError, match="single-file GGUF"):
        hub.choose("org/x", {"m-Q8_0-00001-of-00002.gguf": 1, "m-Q8_0-00002-of-00002.gguf": 1})
