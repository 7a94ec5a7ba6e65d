"""The adapters of a remote server, loaded and unloaded while it runs, as vLLM does.

``POST /v1/load_lora_adapter`` and ``/v1/unload_lora_adapter`` (docs.vllm.ai, "LoRA Adapters"); a
request then names the adapter as its model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

from chatapp.engine.occupancy import Occupancy
from chatapp.engine.remote.http import StatusError, Wire
from chatapp.engine.remote.stream import message_of
from chatapp.errors import ModelError, NotFound, UnsupportedField

ListModels = Callable[[], Awaitable[dict[str, dict[str, object]]]]
"""The entries of the server's model list, by their id."""


class ServerAdapters:
    """Which adapters the server has, as far as this side knows, and who uses them."""

    def __init__(self, wire: Wire, list_models: ListModels) -> None:
        self._wire = wire
        self._list_models = list_models
        self._there: dict[str, Occupancy] = {}

    def names(self) -> tuple[str, ...]:
        """Those that the server listed at the start, and those loaded since."""
        return tuple(sorted(self._there))

    def listed(self, names: Iterable[str]) -> None:
        """Take note of what the server has at the start."""
        self._there = {name: Occupancy() for name in names}

    def use(self, name: str | None) -> Occupancy:
        """To be entered by a request; None is the base model.

        Raises:
            NotFound: no adapter of that name is loaded.
        """
        if name is None:
            return Occupancy()
        if name not in self._there:
            raise _no_adapter(name)
        return self._there[name]

    def lost(self, name: str) -> NotFound:
        """The server does not know it any more; the error that says so."""
        self._there.pop(name, None)
        return _no_adapter(name)

    async def load(self, name: str, folder: Path) -> None:
        """Have the server load ``folder``, which it reads on its own disk.

        Several servers of this app may share one: what another has loaded from the same folder is
        used as it is.

        Raises:
            ModelError: the server cannot read the folder, or it does not fit the model.
            UnsupportedField: the server loads no adapters while it runs.
        """
        place = _place(folder)
        try:
            try:
                await self._load(name, place)
            except StatusError as error:
                if "already been loaded" not in message_of(error.body):
                    raise
                if (await self._list_models()).get(name, {}).get("root") != place:
                    await self._unload(name)
                    await self._load(name, place)
        except StatusError as error:
            raise ModelError(
                f"The remote server could not load the adapter {name!r} from {place}, which it "
                f"has to reach under that path on its own disk: {message_of(error.body)}"
            ) from error
        self._there[name] = Occupancy()

    async def unload(self, name: str) -> None:
        """Have the server forget an adapter, once its last answer is written.

        Raises:
            NotFound: no adapter of that name is loaded.
            UnsupportedField: the server does not unload adapters while it runs.
            RemoteError: the server refused.
        """
        use = self._there.pop(name, None)
        if use is None:
            raise _no_adapter(name)
        await use.idle.wait()
        try:
            await self._unload(name)
        except StatusError as error:
            if error.status != 404:  # else it has forgotten it already
                raise self._wire.explain(error) from error

    async def _load(self, name: str, place: str) -> None:
        await self._post("load_lora_adapter", {"lora_name": name, "lora_path": place})

    async def _unload(self, name: str) -> None:
        await self._post("unload_lora_adapter", {"lora_name": name})

    async def _post(self, route: str, body: Mapping[str, object]) -> None:
        try:
            async with self._wire.open("POST", f"{self._wire.place}/{route}", body):
                pass
        except StatusError as error:
            if error.status in (404, 405, 501) and "lora" not in message_of(error.body).lower():
                raise UnsupportedField(
                    "adapter",
                    "The remote server does not load or unload adapters while it runs. (vLLM "
                    "does with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True.)",
                ) from error
            raise


def _place(folder: Path) -> str:
    return str(folder.absolute())


def _no_adapter(name: str) -> NotFound:
    return NotFound(f"No adapter named {name!r} is loaded on the remote server.", adapter=name)
