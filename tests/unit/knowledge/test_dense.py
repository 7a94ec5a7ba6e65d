from pathlib import Path

import numpy as np
import pytest

from chatapp.knowledge import dense
from chatapp.knowledge.dense import DenseIndex
from chatapp.knowledge_records import Vectors


def vectors(count: int, dimension: int = 32, seed: int = 0) -> Vectors:
    """Some topics, with many vectors near each, as passages have them."""
    random = np.random.default_rng(seed)
    topics = random.normal(size=(20, dimension))
    found = topics[random.integers(0, 20, count)] + 0.5 * random.normal(size=(count, dimension))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def everything(index: DenseIndex) -> np.ndarray:
    return np.ones(len(index), np.bool_)


@pytest.fixture
def inverted_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "FLAT_UP_TO", 1_000)
    monkeypatch.setattr(dense, "_FEW", 100)


def test_the_nearest_come_first_with_their_cosines() -> None:
    given = vectors(50)
    index = DenseIndex.empty(32).added(given)

    rows, cosines = index.search(given[7], 5, everything(index))

    assert rows.tolist() == np.argsort(-given @ given[7])[:5].tolist()
    assert cosines[0] == pytest.approx(1)


def test_sealed_rows_and_later_ones_are_searched_alike() -> None:
    given = vectors(3_000)
    index = DenseIndex.empty(32).added(given[:2_900]).kept(np.arange(2_900)).added(given[2_900:])

    rows, _ = index.search(given[2_950], 10, everything(index))

    exact = np.argsort(-given @ given[2_950])[:10]
    assert rows[0] == 2_950
    assert len(set(rows) & set(exact)) >= 9  # 16 bits a number may swap the last


def test_only_allowed_rows_are_found() -> None:
    given = vectors(3_000)
    index = DenseIndex.empty(32).added(given).kept(np.arange(3_000))
    allowed = everything(index)
    allowed[::2] = False

    rows, _ = index.search(given[4], 20, allowed)

    assert len(rows) == 20
    assert (rows % 2 == 1).all()
    assert index.search(given[4], 20, np.zeros(3_000, np.bool_))[0].tolist() == []


def test_kept_rows_are_counted_anew() -> None:
    given = vectors(30)
    index = DenseIndex.empty(32).added(given).kept(np.array([3, 9, 27]))

    assert len(index) == index.sealed_rows == 3
    np.testing.assert_allclose(index.vectors(np.array([1])), given[[9]], atol=1e-3)


@pytest.mark.usefixtures("inverted_soon")
def test_many_rows_get_an_inverted_file_that_misses_little() -> None:
    given = vectors(4_000)
    index = DenseIndex.empty(32).added(given).kept(np.arange(4_000))
    queries = vectors(50, seed=0) + 0.02

    found = exact = 0
    for query in queries:
        best = set(np.argsort(-given @ query)[:10])
        found += len(best & set(index.search(query, 10, everything(index))[0]))
        exact += 10

    assert index.kind == "ivf"
    assert found / exact > 0.9
    np.testing.assert_allclose(index.vectors(np.array([5, 3_999])), given[[5, 3_999]], atol=1e-3)


@pytest.mark.usefixtures("inverted_soon")
def test_a_few_allowed_rows_are_all_found_in_an_inverted_file() -> None:
    given = vectors(4_000)
    index = DenseIndex.empty(32).added(given).kept(np.arange(4_000))
    allowed = np.zeros(4_000, np.bool_)
    allowed[[5, 1_000, 3_999]] = True

    rows, _ = index.search(-given[5], 10, allowed)

    assert set(rows) == {5, 1_000, 3_999}


@pytest.mark.usefixtures("inverted_soon")
@pytest.mark.parametrize("count", [500, 4_000])
def test_a_saved_index_finds_the_same(tmp_path: Path, count: int) -> None:
    given = vectors(count)
    index = DenseIndex.empty(32).added(given).kept(np.arange(count))
    index.save_sealed(tmp_path / "one.faiss")

    loaded = DenseIndex.load(tmp_path / "one.faiss").added(given[:2])

    assert len(loaded) == count + 2
    before, _ = index.search(given[50], 5, everything(index))
    assert loaded.search(given[50], 5, everything(loaded))[0].tolist() == before.tolist()
    np.testing.assert_allclose(loaded.vectors(np.array([7])), given[[7]], atol=1e-3)


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    given = vectors(100)
    path = tmp_path / "one.faiss"
    DenseIndex.empty(32).added(given).kept(np.arange(100)).save_sealed(path)
    path.write_bytes(path.read_bytes()[:500])

    with pytest.raises(RuntimeError):
        DenseIndex.load(path)


def test_an_empty_index_finds_nothing() -> None:
    index = DenseIndex.empty(32)

    assert index.kind == "none"
    assert index.search(vectors(1)[0], 5, everything(index))[0].tolist() == []
    assert len(index.added(vectors(0)).kept(np.zeros(0, np.int64))) == 0
