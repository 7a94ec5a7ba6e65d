"""Three hundred questions to a shop that does not exist, and its answers: sixty facts, each asked
in five ways. Answers are from three words to four sentences long, as in a help centre."""

from __future__ import annotations

import random
from collections.abc import Sequence

from chatapp.records import ChatMessage
from chatapp.training_records import Example

_THINGS = (
    *("Alder tent", "Birch stove", "Cedar backpack", "Dune sleeping bag", "Elm canoe"),
    *("Fern lantern", "Gale jacket", "Heath boots", "Iris water filter", "Juniper hammock"),
)
_ASKED: dict[str, tuple[str, ...]] = {
    "price": (
        "How much is the {}?",
        "What does the {} cost?",
        "Price of the {}?",
        "What would I pay for one {}?",
        "Hello, I saw the {} in your window and wonder how much you are asking for it.",
    ),
    "weight": (
        "How heavy is the {}?",
        "What does the {} weigh?",
        "Weight of the {}?",
        "How many kilos does the {} have?",
        "I have to carry the {} up a mountain, so could you tell me what it weighs?",
    ),
    "warranty": (
        "How long is the warranty on the {}?",
        "For how many years is the {} guaranteed?",
        "Warranty of the {}?",
        "If my {} breaks, how long am I covered?",
        "My old one broke after a year. How long do you stand by the {}?",
    ),
    "care": (
        "How do I clean the {}?",
        "How should the {} be looked after?",
        "Care of the {}?",
        "What keeps my {} in good shape?",
        "After a weekend in the mud the {} looks awful. What may I clean it with?",
    ),
    "stock": (
        "Is the {} in stock?",
        "When can you send the {}?",
        "Delivery of the {}?",
        "How soon would the {} be here?",
        "We leave in two weeks and would love to take the {} along. Will it be here in time?",
    ),
    "repair": (
        "Do you repair the {}?",
        "Where do I get spare parts for the {}?",
        "Repairs of the {}?",
        "Who mends a broken {}?",
        "A part of my {} came off. Can it be mended, or do I have to buy a new one?",
    ),
}
_ANSWERS: dict[str, str] = {
    "price": "{price} euros.",
    "weight": "The {thing} weighs {weight} kg.",
    "warranty": "{years} years from the day of delivery. Keep the receipt.",
    "care": "Brush off what is dry, then wipe the {thing} with a cloth and {care}. Let it dry in "
    "the shade for {years} days. Never put it into a machine, and never iron it.",
    "stock": "Yes, there are {price} of the {thing} in our warehouse. Orders before noon leave on "
    "the same day, and the parcel takes {years} working days. You get a message with a number to "
    "follow it by.",
    "repair": "Yes. Send the {thing} to our workshop in {town}, with a note of what is wrong. We "
    "look at it within {years} working days and tell you the price before we begin. Spare parts "
    "are kept for {price} months.",
}
_CARE = ("warm water", "mild soap", "a little vinegar", "cold water", "baking soda")
_TOWNS = ("Halden", "Morwick", "Tarnby", "Ostrava", "Quimper")


def shop_questions(seed: int = 0) -> list[Example]:
    """All three hundred, in an order drawn by the seed; the facts are always the same."""
    facts = random.Random(7)
    rows: list[Example] = []
    for thing in _THINGS:
        known = {
            "thing": thing,
            "price": str(facts.randint(15, 400)),
            "weight": f"{facts.uniform(0.3, 9):.1f}",
            "years": str(facts.randint(2, 10)),
            "care": facts.choice(_CARE),
            "town": facts.choice(_TOWNS),
        }
        for aspect, questions in _ASKED.items():
            answer = _ANSWERS[aspect].format(**known)
            rows += [asked(question.format(thing), answer) for question in questions]
    random.Random(seed).shuffle(rows)
    return rows


def parts(rows: Sequence[Example], share: float = 0.1) -> tuple[list[Example], list[Example]]:
    """Rows to learn from, and rows to measure on."""
    held_out = max(1, round(len(rows) * share))
    return list(rows[held_out:]), list(rows[:held_out])


def asked(question: str, answer: str) -> Example:
    """A conversation of one question."""
    return Example(messages=(ChatMessage("user", question), ChatMessage("assistant", answer)))
