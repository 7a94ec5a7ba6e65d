"""Where an answer comes from."""

from __future__ import annotations

import pytest

from chatapp.flows.routing import Decision, Router
from chatapp.knowledge_records import Collection
from chatapp.records import ChatMessage
from tests.fake_answers import CountingFaqs, CountingSearch, a_passage, an_entry
from tests.fake_knowledge import a_collection

PUBLIC = a_collection()
RETURNS = a_passage("Unused tents can be returned within 30 days.", title="Returns")
REFUND = an_entry("Within 5 days.", "When do I get my money back?", "Refund duration")


class House:
    """A router with one passage and one entry."""

    def __init__(self) -> None:
        self.search = CountingSearch(RETURNS)
        self.faqs = CountingFaqs(REFUND)
        self.router = Router(self.search, self.faqs)

    def decide(self, question: str, *history: ChatMessage) -> Decision:
        return self.router.decide(question, history, PUBLIC)


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize(
    "question", ["When do I get my money back?", "when do i get MY money back"]
)
def test_a_question_of_the_faq_wins_at_once(house: House, question: str) -> None:
    decision = house.decide(question)
    assert decision.route == "faq"
    assert decision.faq is not None
    assert decision.faq.entry == REFUND
    assert decision.found is None
    assert house.search.asked == []


def test_a_verbatim_question_is_not_read_as_a_follow_up(house: House) -> None:
    history = ChatMessage("user", "Do you ship to Norway?"), ChatMessage("assistant", "Yes.")
    house.faqs.entries = (an_entry("In May.", "And when?"),)
    decision = house.decide("And when?", *history)
    assert (decision.route, decision.query) == ("faq", "And when?")


def test_a_sure_match_is_not_searched_for(house: House) -> None:
    decision = house.decide("When do I get back my money")
    assert decision.route == "faq"
    assert decision.faq is not None
    assert not decision.faq.exact
    assert house.search.asked == []


def test_a_passage_that_fits_much_better_beats_a_match_that_is_not_sure(house: House) -> None:
    house.faqs.entries = (an_entry("No.", "Unused tents returned within never days"),)
    question = "Unused tents returned within 30 days"
    decision = house.decide(question)
    assert decision.faq is not None
    assert decision.faq.accepted
    assert decision.route == "sources"
    house.search.passages = (a_passage("Unused tents returned", title=""),)
    assert house.decide(question).route == "faq"


def test_relevant_passages_are_sources(house: House) -> None:
    decision = house.decide("Can unused tents be returned?")
    assert decision.route == "sources"
    assert [hit.passage for hit in decision.hits] == [RETURNS]
    assert decision.faq is not None  # the nearest one, for the trace
    assert set(decision.timings) == {"faq", "understand", "search"}


def test_nothing_relevant_is_refused_and_the_nearest_are_kept(house: House) -> None:
    decision = house.decide("Where can I park my boat for the night?")
    assert decision.route == "refused"
    assert decision.hits == ()
    assert decision.found is not None
    assert len(decision.found.hits) == 1
    assert "0%" in decision.reason


@pytest.mark.parametrize("question", ["Hello!", "Thank you very much", "你好", "who are you?"])
def test_small_talk_is_the_personas(house: House, question: str) -> None:
    decision = house.decide(question)
    assert decision.route == "persona"
    assert house.search.asked == []


def test_small_talk_the_team_has_an_answer_to_is_the_faqs(house: House) -> None:
    house.faqs.entries = (an_entry("I am a program.", "Who are you?"),)
    assert house.decide("who are you").route == "faq"


def test_an_empty_collection_leaves_it_to_the_persona() -> None:
    router = Router(CountingSearch(), CountingFaqs())
    assert router.decide("How long can I return a tent?", (), PUBLIC).route == "persona"


def test_a_collection_of_questions_alone_refuses_what_it_does_not_know() -> None:
    router = Router(CountingSearch(), CountingFaqs(REFUND))
    assert router.decide("How heavy is the tent?", (), PUBLIC).route == "refused"


def test_a_follow_up_is_searched_with_its_topic(house: House) -> None:
    history = ChatMessage("user", "Can unused tents be returned?"), ChatMessage("assistant", "Yes.")
    decision = house.decide("And within how many days?", *history)
    assert decision.route == "sources"
    assert house.search.asked == [decision.query]
    assert "unused tents" in decision.query
    assert decision.question == "And within how many days?"


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Can unused tents be returned?", "en"),
        ("未使用的帐篷可以退货吗？", "zh"),
        ("Kann ich ein unbenutztes Zelt zurückgeben?", "de"),
        ("SKU 4711?", "de"),
    ],
)
def test_the_language_is_the_askers(house: House, question: str, language: str) -> None:
    # What says nothing itself is in the language of the question before.
    history = ChatMessage("user", "Haben Sie das Zelt noch vorrätig?")
    assert house.decide(question, history).language == language


def test_only_the_beginning_of_an_endless_question_is_read(house: House) -> None:
    decision = house.decide("tents " * 50_000)
    assert len(decision.question) <= 2_000


def test_the_collection_is_handed_on() -> None:
    seen: list[Collection] = []

    class Watching(CountingFaqs):
        def match(self, collection: Collection, question: str) -> None:
            seen.append(collection)

    internal = a_collection("internal")
    decision = Router(CountingSearch(), Watching()).decide("Anything at all?", (), internal)
    assert {one.name for one in (*seen, decision.collection)} == {"internal"}
