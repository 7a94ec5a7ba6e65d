"""Naming the language of questions and documents."""

from __future__ import annotations

import pytest

from chatapp.knowledge.languages import LANGUAGES, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my parcel?", "en"),
        ("and for the blue one?", "en"),
        ("card not working", "en"),
        ("MY CARD WAS STOLEN", "en"),
        ("Wo ist meine Bestellung?", "de"),
        ("Was kostet der Versand?", "de"),
        ("Où est mon colis ?", "fr"),
        ("¿Dónde está mi pedido?", "es"),
        ("Dov'è il mio ordine?", "it"),
        ("Waar is mijn bestelling?", "nl"),
        ("Gdzie jest moja paczka?", "pl"),
        ("Como cancelar meu pedido?", "pt"),
        ("Siparişimi nasıl iptal ederim?", "tr"),
        ("Hur avbokar jag min beställning?", "sv"),
        ("Где мой заказ?", "ru"),
        ("Де моє замовлення?", "uk"),
        ("أين طلبي؟", "ar"),
        ("سفارش من کجاست؟", "fa"),
        ("내 주문은 어디에 있나요?", "ko"),
        ("注文はどこですか", "ja"),
        ("返品できますか?", "ja"),
        ("คำสั่งซื้อของฉันอยู่ที่ไหน", "th"),
        ("איפה ההזמנה שלי", "he"),
        ("Πού είναι η παραγγελία μου;", "el"),
        ("मेरा ऑर्डर कहाँ है", "hi"),
        ("怎么退货？", "zh"),
        ("怎麼退貨？", "zh"),
        ("退", "zh"),
    ],
)
def test_a_question_has_its_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("iPhone 15 Pro 怎么退货", "zh"),
        ("请问 shipping fee 是多少？", "zh"),
        ("Is 退货 the word for return?", "en"),
        ("Kann ich mit PayPal bezahlen? https://shop.example/help/how-do-i-pay", "de"),
        ("Скиньте на почту help@example.com", "ru"),
        ("订单 AB12-99 TRACKING", "zh"),
    ],
)
def test_names_links_and_codes_do_not_decide(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text", ["", " ", "?!", "12345", "😀", "ok", "A4", "https://example.com/how"]
)
def test_what_is_in_no_language_for_sure_stays_unnamed(text: str) -> None:
    assert language_of(text) == ""


def test_only_the_beginning_of_a_document_is_read() -> None:
    assert language_of("The handbook of the shop. " * 200 + "手册" * 100_000) == "en"


def test_a_script_without_a_rule_is_unknown() -> None:
    assert language_of("ᚠᚢᚦᚨᚱᚲ") == ""


def test_every_language_of_the_embedder_has_its_own_code() -> None:
    assert len(set(LANGUAGES)) == len(LANGUAGES) == 15
