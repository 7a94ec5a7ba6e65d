"""Forty everyday questions, each with one right and three wrong answers.

They are not there to find out how clever a model is, but whether a fine-tune made it forget.
"""

from __future__ import annotations

import math
from typing import Final

EVERYDAY: Final[tuple[tuple[str, str, str, str, str], ...]] = (
    # question, the right answer, three wrong ones
    ("What is the capital of France?", "Paris", "Madrid", "Vienna", "Oslo"),
    ("What is the capital of Japan?", "Tokyo", "Beijing", "Bangkok", "Hanoi"),
    ("What colour is a ripe banana?", "Yellow", "Blue", "Purple", "Grey"),
    ("What colour is fresh snow?", "White", "Green", "Orange", "Brown"),
    ("How many days are in a week?", "Seven", "Five", "Nine", "Twelve"),
    ("How many months are in a year?", "Twelve", "Seven", "Twenty", "Five"),
    ("What is two plus two?", "Four", "Nine", "Seven", "Eleven"),
    ("What is ten minus three?", "Seven", "Two", "Twelve", "One"),
    ("Which animal barks?", "A dog", "A fish", "A cow", "A snake"),
    ("Which animal gives us wool?", "A sheep", "A frog", "A shark", "A crow"),
    ("Which of these can fly?", "An eagle", "An elephant", "A whale", "A tortoise"),
    ("What do bees make?", "Honey", "Milk", "Bread", "Paper"),
    ("What do we drink when we are thirsty?", "Water", "Sand", "Petrol", "Glue"),
    ("What is frozen water called?", "Ice", "Steam", "Smoke", "Sand"),
    ("What do we use to cut paper?", "Scissors", "A spoon", "A pillow", "A candle"),
    ("What do we use to unlock a door?", "A key", "A fork", "A hat", "A book"),
    ("What do you wear on your feet?", "Shoes", "Gloves", "A scarf", "A hat"),
    ("What do you wear on your hands when it is cold?", "Gloves", "Shoes", "Socks", "A belt"),
    ("Where do fish live?", "In water", "In the sky", "In trees", "In a desert"),
    ("Where can you borrow books?", "A library", "A bakery", "A garage", "A stable"),
    ("Who flies a plane?", "A pilot", "A baker", "A farmer", "A tailor"),
    ("Who looks after your teeth?", "A dentist", "A plumber", "A driver", "A singer"),
    ("What is the opposite of hot?", "Cold", "Loud", "Heavy", "Round"),
    ("What is the opposite of up?", "Down", "Fast", "Old", "Sweet"),
    ("What is the opposite of early?", "Late", "Tall", "Dry", "Soft"),
    ("Which season comes after winter?", "Spring", "Autumn", "Noon", "Midnight"),
    ("Which day comes after Monday?", "Tuesday", "Friday", "Sunday", "Saturday"),
    ("Which month comes after March?", "April", "January", "October", "July"),
    ("On which planet do we live?", "Earth", "Mars", "Jupiter", "Saturn"),
    ("What shines in the sky by day?", "The sun", "A lamp", "A candle", "The moon"),
    ("Which language is spoken in Spain?", "Spanish", "Japanese", "Swedish", "Korean"),
    ("Which language is spoken in Germany?", "German", "Thai", "Arabic", "Hindi"),
    ("What is bread made from?", "Flour", "Stone", "Wool", "Glass"),
    ("What is a window made of?", "Glass", "Butter", "Cotton", "Wool"),
    ("Which one is a fruit?", "An apple", "A chair", "A hammer", "A train"),
    ("Which one is a vehicle?", "A car", "A carrot", "A cloud", "A candle"),
    ("How many legs does a spider have?", "Eight", "Two", "Five", "Three"),
    ("How many wheels does a bicycle have?", "Two", "Nine", "Six", "Eleven"),
    ("What do you say when you meet somebody?", "Hello", "Goodbye", "Never", "Stop"),
    ("What do you say when somebody helps you?", "Thank you", "Go away", "Too late", "No"),
)

REHEARSED: Final = (
    "Why is the sky blue?",
    "What is the capital of Italy?",
    "How do plants grow?",
    "Write a short poem about the sea.",
    "What is a good breakfast?",
    "Explain what a computer does.",
    "How do I boil an egg?",
    "What causes rain?",
    "Tell me a fun fact about cats.",
    "Who wrote Romeo and Juliet?",
    "What is the largest ocean?",
    "How can I sleep better?",
    "What is photosynthesis?",
    "Give me three tips for learning a language.",
    "Why do birds migrate?",
    "What is the difference between weather and climate?",
    "Write a polite greeting for an email.",
    "How far away is the moon?",
    "What is a prime number?",
    "Name three kinds of fruit.",
    "How does a bicycle stay upright?",
    "What should I pack for a day at the beach?",
    "Why do we need sleep?",
    "What is the freezing point of water?",
    "Describe a forest in autumn.",
    "How do magnets work?",
    "Who are you?",
    "What can you help me with?",
    "Hello!",
    "How are you today?",
    "Thank you for your help.",
    "Tell me a short story about a dog.",
    "What is the best way to save money?",
    "How do vaccines work?",
    "What does a teacher do?",
    "Why is exercise important?",
    "What is the internet?",
    "How do I clean a window?",
    "What is the tallest mountain in the world?",
    "Suggest a name for a cat.",
)
"""What the base is asked before it learns; none of ``EVERYDAY``, which is measured on."""


def mixed_in(share: float, rows: int) -> int:
    """How many of ``REHEARSED`` are mixed into so many rows."""
    return min(len(REHEARSED), math.ceil(share * rows))
