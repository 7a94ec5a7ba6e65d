"""What the app itself says in an answer, in the asker's language, and why it answered so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Phrases:
    """The sentences of one language.

    Attributes:
        name: of the language, in English, as a prompt says it.
        quoting: introduces sentences of the sources.
        refusal: nothing relevant was found.
        closest: introduces a list of topics; followed by their titles.
        person: a human can help.
    """

    name: str
    quoting: str
    refusal: str
    closest: str
    person: str


_PHRASES: Final[Mapping[str, Phrases]] = {
    "en": Phrases(
        "English",
        "This is what our documents say:",
        "I could not find an answer to this in our documents.",
        "The closest topics I found:",
        "If you would rather talk to a person, our team will be glad to help.",
    ),
    "zh": Phrases(
        "Chinese",
        "我们的资料是这样写的：",
        "我在我们的资料中没有找到这个问题的答案。",
        "我找到的最接近的主题：",
        "如果您想与真人沟通，我们的团队很乐意帮助您。",
    ),
    "de": Phrases(
        "German",
        "Das steht dazu in unseren Unterlagen:",
        "Dazu habe ich in unseren Unterlagen keine Antwort gefunden.",
        "Die nächstliegenden Themen:",
        "Wenn Sie lieber mit einem Menschen sprechen möchten, hilft Ihnen unser Team gern.",
    ),
    "fr": Phrases(
        "French",
        "Voici ce que disent nos documents :",
        "Je n’ai pas trouvé de réponse à cette question dans nos documents.",
        "Les sujets les plus proches :",
        "Si vous préférez parler à une personne, notre équipe vous aidera volontiers.",
    ),
    "es": Phrases(
        "Spanish",
        "Esto es lo que dicen nuestros documentos:",
        "No he encontrado una respuesta a esta pregunta en nuestros documentos.",
        "Los temas más cercanos:",
        "Si prefiere hablar con una persona, nuestro equipo le ayudará con mucho gusto.",
    ),
    "it": Phrases(
        "Italian",
        "Ecco che cosa dicono i nostri documenti:",
        "Non ho trovato una risposta a questa domanda nei nostri documenti.",
        "Gli argomenti più vicini:",
        "Se preferisce parlare con una persona, il nostro team sarà lieto di aiutarla.",
    ),
    "pt": Phrases(
        "Portuguese",
        "É isto que dizem os nossos documentos:",
        "Não encontrei uma resposta a esta pergunta nos nossos documentos.",
        "Os temas mais próximos:",
        "Se preferir falar com uma pessoa, a nossa equipa terá todo o gosto em ajudar.",
    ),
    "nl": Phrases(
        "Dutch",
        "Dit staat er in onze documenten:",
        "Ik heb hierop in onze documenten geen antwoord gevonden.",
        "De onderwerpen die er het dichtst bij komen:",
        "Als u liever met een mens praat, helpt ons team u graag.",
    ),
    "pl": Phrases(
        "Polish",
        "Oto, co mówią nasze dokumenty:",
        "Nie udało mi się znaleźć odpowiedzi na to pytanie w naszych dokumentach.",
        "Najbliższe tematy:",
        "Jeśli woli Pan/Pani porozmawiać z człowiekiem, nasz zespół chętnie pomoże.",
    ),
    "ru": Phrases(
        "Russian",
        "Вот что сказано в наших документах:",
        "В наших документах нет ответа на этот вопрос.",
        "Самые близкие темы:",
        "Если вы хотите поговорить с человеком, наша команда с радостью поможет.",
    ),
    "tr": Phrases(
        "Turkish",
        "Belgelerimizde şöyle yazıyor:",
        "Bu sorunun yanıtını belgelerimizde bulamadım.",
        "Bulduğum en yakın konular:",
        "Bir kişiyle görüşmek isterseniz ekibimiz size memnuniyetle yardımcı olur.",
    ),
    "ja": Phrases(
        "Japanese",
        "当社の資料には次のように書かれています。",
        "この質問への答えは、当社の資料では見つかりませんでした。",
        "最も近い項目：",
        "担当者との会話をご希望の場合は、スタッフが喜んで対応いたします。",
    ),
    "ko": Phrases(
        "Korean",
        "저희 자료에는 다음과 같이 나와 있습니다.",
        "이 질문에 대한 답을 저희 자료에서 찾지 못했습니다.",
        "가장 가까운 주제:",
        "담당자와 직접 이야기하고 싶으시면 저희 팀이 기꺼이 도와드리겠습니다.",
    ),
    "ar": Phrases(
        "Arabic",
        "هذا ما ورد في وثائقنا:",
        "لم أجد إجابة عن هذا السؤال في وثائقنا.",
        "أقرب الموضوعات:",
        "إذا كنت تفضل التحدث إلى شخص، فسيسعد فريقنا بمساعدتك.",
    ),
    "th": Phrases(
        "Thai",
        "เอกสารของเราระบุไว้ดังนี้:",
        "ไม่พบคำตอบสำหรับคำถามนี้ในเอกสารของเรา",
        "หัวข้อที่ใกล้เคียงที่สุด:",
        "หากต้องการพูดคุยกับเจ้าหน้าที่ ทีมงานของเรายินดีให้ความช่วยเหลือ",
    ),
}

LANGUAGES: Final = tuple(_PHRASES)

Reason = Literal[
    "exact", "faq", "passages", "better_passages", "small_talk", "empty", "weak", "nothing", "model"
]
_REASONS: Final[Mapping[Reason, tuple[str, str]]] = {
    "exact": (
        "The question is one of the FAQ, word for word.",
        "问题与常见问题中的一条完全相同。",
    ),
    "faq": (
        "The question means the same as one of the FAQ ({confidence:.0%} sure, {needed:.0%} "
        "needed).",
        "问题与常见问题中的一条意思相同（置信度 {confidence:.0%}，需要 {needed:.0%}）。",
    ),
    "passages": (
        "Passages that are relevant enough: {count}. The best reaches {best:.0%}, {needed:.0%} "
        "are needed.",
        "有 {count} 个段落足够相关，最高 {best:.0%}，需要 {needed:.0%}。",
    ),
    "better_passages": (
        "A passage fits better ({best:.0%}) than the nearest FAQ question ({confidence:.0%}).",
        "有段落（{best:.0%}）比最接近的常见问题（{confidence:.0%}）更合适。",
    ),
    "small_talk": ("This is small talk, which needs no source.", "这是闲聊，不需要资料。"),
    "empty": ("There is nothing in this collection yet.", "这个知识库还没有内容。"),
    "weak": (
        "No passage is relevant enough: the best reaches {best:.0%}, {needed:.0%} are needed.",
        "没有足够相关的段落：最高 {best:.0%}，需要 {needed:.0%}。",
    ),
    "nothing": ("Nothing that fits was found.", "没有找到相关内容。"),
    "model": (
        "The passages found are near, but the model read no answer in them.",
        "找到的段落相近，但模型没有从中读出答案。",
    ),
}


def phrases(language: str) -> Phrases:
    """The sentences for an ISO 639-1 code; English where there are none."""
    return _PHRASES.get(language, _PHRASES["en"])


def reason(key: Reason, language: str, **facts: float) -> str:
    """Why an answer took its route: Chinese for Chinese, else English."""
    english, chinese = _REASONS[key]
    return (chinese if language == "zh" else english).format(**facts)
