"""Small talk is told from questions, in the languages of the embedder."""

from __future__ import annotations

import pytest

from chatapp.knowledge.languages import LANGUAGES
from chatapp.knowledge.smalltalk import is_small_talk
from chatapp.knowledge.smalltalk_phrases import ENOUGH, FILLERS


@pytest.mark.parametrize(
    "text",
    [
        "Hi",
        "Hello!!!",
        "hiiiii there :)",
        "Good morning, how are you today?",
        "Thanks so much for your help, bye!",
        "ok great, thank you",
        "no thanks, that's all",
        "Who are you?",
        "Are you a bot or a real person?",
        "What's your name?",
        "Can you help me please?",
        "What can you do?",
        "Hallo, wie geht es Ihnen?",
        "Vielen Dank für Ihre Hilfe!",
        "Bist du ein Roboter?",
        "Bonjour, qui êtes-vous ?",
        "Merci beaucoup pour votre aide",
        "¡Hola! ¿Cómo estás?",
        "¿Eres un robot o una persona?",
        "Grazie mille, a presto!",
        "Goedemorgen, bent u een robot?",
        "Dzień dobry, mam pytanie",
        "Olá, tudo bem?",
        "Merhaba, nasılsınız?",
        "Çok teşekkür ederim",
        "Здравствуйте! Вы робот?",
        "Спасибо большое за помощь",
        "السلام عليكم، كيف حالك؟",
        "هل أنت روبوت؟",
        "你好！",
        "您好，在吗？",
        "谢谢你的帮助，再见",
        "你是真人还是机器人？",
        "妳好，請問你是誰？",
        "こんにちは！お元気ですか？",
        "ありがとうございました",
        "안녕하세요! 당신은 로봇인가요?",
        "정말 감사합니다",
        "สวัสดีครับ",
        "ขอบคุณมากค่ะ",
    ],
)
def test_small_talk_is_recognised(text: str) -> None:
    assert is_small_talk(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "Hi, where is my parcel?",
        "Thanks, and what does shipping cost?",
        "Are you open today?",
        "Are you a member of the alpine club?",
        "Can you help me with my refund?",
        "I need help with a broken zip",
        "What is your return policy?",
        "What's your phone number?",
        "Who made the blue tent?",
        "Good tents for winter?",
        "Have a nice tent?",
        "no good",
        "refund",
        "yes",
        "no",
        "please",
        "Hallo, wo ist mein Paket?",
        "Bonjour, je veux un remboursement",
        "¿Cómo está mi pedido?",
        "你好，怎么退货？",
        "你们几点开门",
        "好了吗",
        "可以退款吗？",
        "こんにちは、返品できますか",
        "안녕하세요 환불하고 싶어요",
        "สวัสดีครับ ค่าส่งเท่าไหร่",
        "Здравствуйте, где мой заказ?",
        "مرحبا، أين طلبي؟",
    ],
)
def test_questions_are_not(text: str) -> None:
    assert not is_small_talk(text)


def test_no_one_greets_at_length() -> None:
    assert is_small_talk("hi " * 30)
    assert not is_small_talk("hi " * 100_000)


def test_every_language_of_the_embedder_has_phrases() -> None:
    assert set(ENOUGH) == set(FILLERS) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_listed_phrase_counts(language: str) -> None:
    assert [phrase for phrase in ENOUGH[language].split("|") if not is_small_talk(phrase)] == []
