"""Promotions as tags: ours and GTO's in one count, trailers strictly, tags of our own making."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import BadWord, TagMoved, VersionTwice
from tagline.git import events as ev
from tagline.git import facts, tags
from tagline.git.facts import Facts, Tag
from tagline.git.fold import fold
from tagline.git.objects import tag as make_tag
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.git.tags import Details
from tagline.words import ModelVersion, Promotion

from tests.fakes.repositories import Clone

COMMIT = "c" * 40
VERSION = ModelVersion.parse("0.2.0-r1")


def seen(*names: str) -> Facts:
    """Facts with these annotated tags and nothing else."""
    made = {name: Tag(name, f"{n:040x}", COMMIT, annotated=True) for n, name in enumerate(names, 1)}
    return Facts(COMMIT, "main", "main", {"main": COMMIT}, made, "", None, None)


def asked(n: int, tag: str = "a" * 40) -> ev.Asked:
    return ev.Asked(env="prod", model="wine", n=n, tag=tag, commit=COMMIT, model_version="0.1.0-r1")


def test_ours_and_gtos_promotions_are_read_as_the_same() -> None:
    assert tags.parse("promote/prod/wine/7") == tags.parse("wine#prod#7") == Promotion("prod", "wine", 7)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("wine#prod", "tagline promote wine --to prod"),
        ("wine#prod!#4", "tagline rollback wine --env prod"),
        ("wine#prod!", "tagline rollback wine --env prod"),
    ],
)
def test_gtos_other_forms_are_errors_that_name_our_command(name: str, command: str) -> None:
    with pytest.raises(BadWord) as caught:
        tags.requests(seen(name), State())
    assert command in caught.value.fix


@pytest.mark.parametrize(
    "name", ["promote/prod/wine", "promote/prod/wine/07", "promote/Prod/wine/1", "promote/a/b/c/1"]
)
def test_a_malformed_promotion_is_never_passed_over(name: str) -> None:
    with pytest.raises(BadWord):
        tags.requests(seen(name), State())


@pytest.mark.parametrize("name", ["v1.0.0", "issue#12", "C#", "team/prod", "wine@v1.0.0"])
def test_other_peoples_tags_are_no_promotions(name: str) -> None:
    assert tags.requests(seen(name), State()) == []


def test_one_number_used_by_two_tags_is_an_error_that_names_both() -> None:
    with pytest.raises(VersionTwice, match=r"promote/prod/wine/7 and wine#prod#7"):
        tags.requests(seen("promote/prod/wine/7", "wine#prod#7"), State())


def test_gaps_in_the_numbers_are_fine_and_order_is_by_number_not_by_text() -> None:
    found = tags.requests(seen("promote/prod/wine/10", "promote/prod/wine/9", "wine#prod#2"), State())
    assert [one.promotion.n for one in found] == [2, 9, 10]


def test_the_next_number_is_above_all_tags_and_all_the_ledger_knows() -> None:
    state = fold([asked(12), ev.Superseded(env="prod", model="wine", n=15, by=16)])
    assert tags.next_number(seen("wine#prod#3"), State(), "prod", "wine") == 4
    assert tags.next_number(seen("wine#prod#3"), state, "prod", "wine") == 16
    assert tags.next_number(seen("wine#prod#3"), state, "staging", "wine") == 1


def test_a_tag_that_moved_since_it_was_asked_is_refused_with_the_push_that_restores_it() -> None:
    with pytest.raises(TagMoved) as caught:
        tags.requests(seen("promote/prod/wine/1"), fold([asked(1)]))
    assert caught.value.fix == f"git push --force origin {'a' * 40}:refs/tags/promote/prod/wine/1"


def test_what_a_person_adopted_is_settled_unreadable_tags_too() -> None:
    adopted = ev.Adopted(env="prod", model="wine", n=7, reason="old", ignored=["wine#prod", "promote/x"])
    state = fold([adopted])
    old = seen("wine#prod", "promote/x", "promote/prod/wine/7", "wine#prod#7", "promote/prod/wine/8")
    opened = tags.open_requests(old, state)
    assert [(one.newest and one.newest.promotion.n, one.older) for one in opened] == [(8, ())]


def test_the_newest_promotion_is_acted_on_and_older_open_ones_give_way() -> None:
    opened = tags.open_requests(seen(*(f"promote/prod/wine/{n}" for n in (1, 2, 3))), State())
    assert [(one.newest and one.newest.promotion.n) for one in opened] == [3]
    assert [one.promotion.n for one in opened[0].older] == [1, 2]


def test_an_old_open_promotion_is_not_acted_on_after_a_newer_one_has_ended() -> None:
    state = fold([ev.Failed(env="prod", model="wine", n=2, why="x")])
    opened = tags.open_requests(seen("promote/prod/wine/1", "promote/prod/wine/2"), state)
    assert (opened[0].newest, [one.promotion.n for one in opened[0].older], opened[0].number) == (
        None,
        [1],
        2,
    )


def test_a_promotion_whose_newer_tag_was_deleted_still_gives_way_to_it() -> None:
    state = fold([ev.Failed(env="prod", model="wine", n=2, why="x")])
    assert tags.open_requests(seen("promote/prod/wine/1"), state)[0].newest is None


def test_the_tag_that_tagline_makes_reads_back_as_what_was_asked(clone: Clone, repo: Repo) -> None:
    wanted = Details(VERSION, "better\non reds", Promotion("prod", "wine", 3), "holiday", "yes")
    new = tags.promotion_tag(Promotion("prod", "wine", 4), clone.head(), wanted)
    made = make_tag(repo, new, "abc")
    clone.push(f"{made.object}:refs/tags/{new.name}")
    request = tags.requests(facts.read(repo), State())[0]
    read = tags.details(repo, request)
    assert read == Details(VERSION, "better on reds", Promotion("prod", "wine", 3), "holiday", "yes", "Ada")


def test_git_itself_reads_the_trailers_that_tagline_writes(clone: Clone, repo: Repo) -> None:
    new = tags.promotion_tag(Promotion("prod", "wine", 1), clone.head(), Details(VERSION, reason="why not"))
    text = clone.git("cat-file", "tag", make_tag(repo, new, "abc").object).partition("\n\n")[2]
    parsed = clone.git("interpret-trailers", "--parse", stdin=text)
    assert parsed.splitlines() == ["Model-Version: 0.2.0-r1", "Reason: why not", "Run: abc"]


def test_a_lightweight_promotion_tag_is_accepted_and_says_nothing(clone: Clone, repo: Repo) -> None:
    clone.commit("feat: x\n\nModel-Version: 9.9.9-r9")
    clone.push()
    clone.tag("promote/prod/wine/1")
    request = tags.requests(facts.read(repo), State())[0]
    assert (request.tag.annotated, tags.details(repo, request)) == (False, Details())


def test_a_trailer_in_the_only_line_of_a_message_counts() -> None:
    assert tags.trailers("Model-Version: 0.2.0-r1") == {"Model-Version": "0.2.0-r1"}


def test_trailers_are_read_in_any_case_with_continuations_and_without_the_signature() -> None:
    lines = [
        "Go",
        "",
        "model-version: 0.2.0-r1",
        "Reason: one",
        " two",
        "-----BEGIN PGP SIGNATURE-----",
        "Override: no",
    ]
    text = "\r\n".join(lines)
    assert tags.trailers(text) == {"Model-Version": "0.2.0-r1", "Reason": "one two"}


def test_a_trailer_given_twice_is_an_error() -> None:
    with pytest.raises(BadWord, match="given twice"):
        tags.trailers("x\n\nModel-Version: 0.2.0-r1\nModel-Version: 0.3.0-r1")


@pytest.mark.parametrize(
    "line", ["Model-Verison: 0.2.0-r1", "Overide: x", "Rollback-Off: promote/prod/wine/1"]
)
def test_a_misspelt_trailer_is_an_error_that_names_the_right_one(line: str) -> None:
    with pytest.raises(BadWord) as caught:
        tags.trailers(f"Go\n\n{line}")
    assert caught.value.fix in ("write Model-Version:", "write Override:", "write Rollback-of:")


def test_other_trailers_and_prose_are_left_alone() -> None:
    assert tags.trailers("Go\n\nNote: this is fine\n\nSigned-off-by: Ada <a@b>\nTicket: 12") == {}


@given(st.dictionaries(st.sampled_from(tags.KEYS), st.text(max_size=80)))
def test_whatever_is_typed_as_a_value_the_same_keys_come_back(values: dict[str, str]) -> None:
    said = tags.trailers(tags.message("Promote wine", values))
    assert said == {key: " ".join(value.split()) for key, value in values.items() if value.strip()}


@given(st.text(max_size=200))
def test_any_message_is_read_or_refused_with_a_way_out(text: str) -> None:
    try:
        said = tags.trailers(text)
    except BadWord as error:
        assert error.fix
    else:
        assert set(said) <= set(tags.KEYS)
