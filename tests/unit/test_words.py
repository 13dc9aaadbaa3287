"""The words of tagline: what is printed reads back as itself, and orders as people expect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version
from tagline.errors import BadWord, UnknownName
from tagline.words import ModelVersion, Promotion, Release, ReleaseTag, check_name, one_of, release_of_tag

NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,28}[a-z0-9])?", fullmatch=True)
NUMBERS = st.integers(min_value=0, max_value=10**12)
PRE = st.builds("{}.{}".format, st.sampled_from(["alpha", "beta", "rc", "next"]), NUMBERS)
RELEASES = st.builds(Release, NUMBERS, NUMBERS, NUMBERS, st.just("") | PRE)
VERSIONS = st.builds(ModelVersion, RELEASES, st.integers(min_value=1, max_value=10**9))
PROMOTIONS = st.builds(Promotion, NAMES, NAMES, st.integers(min_value=1, max_value=10**9))


@given(RELEASES)
def test_a_release_reads_back_as_it_is_printed(release: Release) -> None:
    assert Release.parse(str(release)) == release
    assert release_of_tag(release.tag) == release


@given(VERSIONS)
def test_a_model_version_reads_back_as_it_is_printed(version: ModelVersion) -> None:
    assert ModelVersion.parse(str(version)) == version


@given(PROMOTIONS)
def test_a_promotion_reads_back_as_it_is_printed(promotion: Promotion) -> None:
    assert Promotion.parse(str(promotion)) == promotion


@given(RELEASES, RELEASES)
def test_releases_order_as_semver_orders_them(one: Release, other: Release) -> None:
    assert (one < other) == (Version.parse(str(one)) < Version.parse(str(other)))
    assert (one == other) == (not one < other and not other < one)


@given(VERSIONS, VERSIONS)
def test_model_versions_order_by_release_then_number(one: ModelVersion, other: ModelVersion) -> None:
    assert (one < other) == ((one.release, one.number) < (other.release, other.number))


@given(st.lists(st.integers(min_value=1, max_value=10**6), min_size=2, unique=True))
def test_promotions_of_one_model_order_by_their_counter(counters: list[int]) -> None:
    asked = [Promotion("prod", "wine", n) for n in counters]
    assert [promotion.n for promotion in sorted(asked)] == sorted(counters)


def test_number_ten_comes_after_number_nine() -> None:
    assert ModelVersion.parse("1.4.0-r9") < ModelVersion.parse("1.4.0-r10") < ModelVersion.parse("1.10.0-r1")
    assert Release.parse("1.4.0-rc.2") < Release.parse("1.4.0-rc.10") < Release.parse("1.4.0")


def test_a_model_version_of_a_pre_release_keeps_both_parts() -> None:
    version = ModelVersion.parse("1.4.0-rc.2-r3")
    assert (str(version.release), version.number, version.slug) == ("1.4.0-rc.2", 3, "v1-4-0-rc-2-r3")


@given(NAMES)
def test_a_name_of_the_grammar_is_a_name(name: str) -> None:
    assert check_name(name) == name


@given(st.text())
def test_any_text_is_a_name_or_a_bad_word(text: str) -> None:
    try:
        assert 0 < len(check_name(text)) <= 30
    except BadWord as error:
        assert error.fix.startswith("write ")


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a-", "a_b", "a.b", "a" * 31, "ä", "a\n", "a b"])
def test_what_kubernetes_would_refuse_is_no_name(name: str) -> None:
    with pytest.raises(BadWord):
        check_name(name)


def test_thirty_characters_are_a_name() -> None:
    assert check_name("a" * 30) == "a" * 30


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.4",
        "v1.4.0",
        "1.4.0+x",
        "01.4.0",
        "1.4.0-",
        "1.4.0-dev.1",
        "1.4.0-rc",
        "1.4.0-rc.01",
        " 1.4.0",
    ],
)
def test_other_spellings_are_no_release(text: str) -> None:
    with pytest.raises(BadWord):
        Release.parse(text)


@pytest.mark.parametrize(
    "text", ["1.4.0", "1.4.0-r", "1.4.0-r0", "1.4.0-r03", "1.4.0-r-1", "1.4-r1", "-r1", "1.4.0-R1"]
)
def test_other_spellings_are_no_model_version(text: str) -> None:
    with pytest.raises(BadWord):
        ModelVersion.parse(text)


@pytest.mark.parametrize(
    "tag",
    [
        "promote",
        "promote/prod/wine",
        "promote/prod/wine/0",
        "promote/prod/wine/01",
        "promote/prod/wine/1/2",
        "promote/Prod/wine/1",
        "promote//wine/1",
        "approve/prod/wine/1",
    ],
)
def test_other_spellings_are_no_promotion(tag: str) -> None:
    with pytest.raises(BadWord):
        Promotion.parse(tag)


@pytest.mark.parametrize("tag", ["1.4.0", "v1", "version-1.4.0", "wine@v1.4.0", "v1.4.0+b", "vv1.4.0"])
def test_other_tags_name_no_release(tag: str) -> None:
    assert release_of_tag(tag) is None


@pytest.mark.parametrize("tag", ["v1.4.0", "wine@v1.4.0", "wine@v1.4.0-rc.1"])
def test_a_release_tag_reads_back_as_it_is_written(tag: str) -> None:
    found = ReleaseTag.read(tag)
    assert found is not None
    assert (str(found), found.pipeline) == (tag, "wine" if "@" in tag else "")


@pytest.mark.parametrize("tag", ["@v1.4.0", "Wine@v1.4.0", "a@b@v1.4.0", "wine@1.4.0", "wine@v1", "me@work"])
def test_other_tags_are_no_release_of_a_pipeline(tag: str) -> None:
    assert ReleaseTag.read(tag) is None


def test_an_unknown_name_is_told_the_nearest_and_all_that_are_known() -> None:
    with pytest.raises(UnknownName) as caught:
        one_of("prdo", ["staging", "prod"], "environment")
    assert caught.value.what == "unknown environment 'prdo'"
    assert caught.value.fix == "did you mean 'prod'? known: prod, staging"


def test_an_unknown_name_among_none_says_so() -> None:
    with pytest.raises(UnknownName) as caught:
        one_of("wine", [], "model")
    assert caught.value.fix == "known: none"


@given(st.lists(NAMES, min_size=1))
def test_a_known_name_is_returned(names: list[str]) -> None:
    assert one_of(names[0], names, "model") == names[0]
