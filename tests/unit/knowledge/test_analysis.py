from chatapp.knowledge.analysis import terms


def test_words_of_a_language_become_their_stems_and_its_stop_words_go() -> None:
    assert terms("Where are the returned parcels?", "en") == terms("returning a parcel", "en")
    assert terms("Wo sind die Rücksendungen?", "de") == terms("Rücksendung", "de")


def test_a_word_without_a_language_is_left_as_it_is() -> None:
    assert terms("returns", "") == ["returns"]


def test_case_width_and_accents_do_not_matter() -> None:
    assert terms("ＣＡＦÉ", "") == terms("café", "") == terms("cafe", "")


def test_chinese_is_cut_into_words_and_the_words_inside_them() -> None:
    assert terms("保修期是多久？", "zh") == ["保修", "保修期"]


def test_scripts_without_a_dictionary_are_cut_into_pairs() -> None:
    assert terms("かばん", "ja") == ["かば", "ばん"]
    assert terms("반품", "ko") == ["반품"]


def test_codes_are_found_whole_and_in_parts() -> None:
    assert terms("NP-204", "en") == ["np204", "np", "204"]
    assert terms("1,000 3.5", "en") == ["1000", "3.5"]
