"""The ledger: appended by compare-and-swap, read strictly, safe to repeat, never half-written."""

from pathlib import Path

import pytest
from tagline.errors import LedgerError, LedgerMissing, LostRace, PushRefused
from tagline.git import chain, facts, ledger, objects, wire
from tagline.git import events as ev
from tagline.git.ledger import Author, Batch
from tagline.git.objects import NewTag
from tagline.git.remote import Pushed, RefUpdate, push
from tagline.git.repo import LEDGER_REF, Repo
from tagline.git.state import State
from tagline.git.verify import verify
from tagline.words import Release

from tests.fakes.repositories import Bare, Clone, git

ADA = Author("ada", machine="box")


def released(commit: str, version: str = "0.1.0") -> ev.Released:
    return ev.Released(pipeline="wine", version=version, commit=commit, identity="env:sha256:x")


def claim(commit: str, version: str = "0.1.0") -> Batch:
    return Batch([released(commit, version)], [NewTag(f"v{version}", commit, f"wine {version}")])


def append(repo: Repo, batch: Batch, author: Author = ADA) -> ledger.Appended:
    return ledger.append(repo, facts.read(repo), lambda state: batch, author)


def test_events_and_tags_arrive_together_and_read_back(bare: Bare, clone: Clone, repo: Repo) -> None:
    added = append(repo, claim(clone.head()))
    state = ledger.read(repo, facts.read(repo)).state
    assert state == added.state
    event = state.releases["wine", Release(0, 1, 0)]
    assert (event.actor, event.machine, event.commit) == ("ada", "box", clone.head())
    assert git(bare.path, "rev-parse", "v0.1.0^{commit}") == clone.head()


def test_a_message_is_one_json_line_and_the_line_that_asks_ci_to_skip(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    append(repo, claim(clone.head()))
    first, blank, skip = git(bare.path, "log", "-1", "--format=%B", LEDGER_REF).splitlines()
    assert first.startswith('{"event":"released"')
    assert (blank, skip) == ("", "[skip ci]")


def test_the_facts_after_an_append_are_those_of_the_remote(clone: Clone, repo: Repo) -> None:
    added = append(repo, claim(clone.head()))
    looked = facts.read(repo, fetch=False)
    assert (added.facts.ledger, added.facts.tags) == (looked.ledger, looked.tags)


def test_an_append_leaves_no_ref_of_the_user_changed(clone: Clone, repo: Repo) -> None:
    before = clone.refs()
    append(repo, claim(clone.head()))
    assert clone.refs() == before


def test_the_chain_has_empty_trees_and_one_parent_each(clone: Clone, repo: Repo) -> None:
    append(repo, Batch([released(clone.head()), released(clone.head(), "0.2.0")]))
    append(repo, Batch([released(clone.head(), "0.3.0")]))
    links = chain.links(repo, facts.read(repo))
    assert [len(link.parents) for link in links] == [0, 1, 1]
    assert {link.tree for link in links} == {objects.empty_tree("0" * 40)}


def test_an_empty_batch_pushes_nothing(bare: Bare, repo: Repo) -> None:
    append(repo, Batch())
    assert LEDGER_REF not in bare.refs()


def test_without_a_configured_name_the_ledger_is_written_as_tagline(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    clone.git("config", "--unset", "user.name")
    clone.git("config", "--unset", "user.email")
    append(repo, claim(clone.head()))
    assert git(bare.path, "log", "-1", "--format=%an <%ae>", LEDGER_REF) == "tagline <tagline@localhost>"
    assert "tagger tagline <tagline@localhost>" in git(bare.path, "cat-file", "tag", "v0.1.0")


def test_a_lost_race_asks_again_with_what_the_winner_wrote(
    bare: Bare, clone: Clone, repo: Repo, tmp_path: Path
) -> None:
    other = Repo.open(bare.clone(tmp_path / "other").path)
    stale = facts.read(repo)
    append(other, claim(clone.head()), Author("bob"))
    asked: list[int] = []

    def make(state: State) -> Batch:
        asked.append(len(state.releases))
        return claim(clone.head(), f"0.{1 + len(state.releases)}.0")

    added = ledger.append(repo, stale, make, ADA)
    assert asked == [0, 1]
    assert [str(release) for _, release in added.state.releases] == ["0.1.0", "0.2.0"]


def test_after_a_lost_race_the_new_facts_are_heard(
    bare: Bare, clone: Clone, repo: Repo, tmp_path: Path
) -> None:
    other = Repo.open(bare.clone(tmp_path / "other").path)
    stale = facts.read(repo)
    append(other, claim(clone.head()), Author("bob"))
    heard: list[facts.Facts] = []
    batches = iter([claim(clone.head()), Batch()])
    ledger.append(repo, stale, lambda state: next(batches), ADA, seen=heard.append)
    assert sorted(heard[0].tags) == ["v0.1.0"]


def test_a_tag_that_somebody_else_pushed_is_a_lost_race_at_once(clone: Clone, repo: Repo) -> None:
    stale = facts.read(repo)
    clone.tag("v0.1.0")
    with pytest.raises(LostRace, match=r"v0\.1\.0 exists on the remote"):
        ledger.append(repo, stale, lambda state: claim(clone.head()), ADA)
    assert facts.read(repo).ledger == ""


def test_a_push_that_landed_though_it_seemed_lost_is_recognised_as_ours(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    """The answer of a successful push is lost on its way: the same push again finds its own work."""
    calls: list[int] = []
    shim = Path(repo.root.parent / "bin")
    shim.mkdir()
    real = git(repo.root, "--exec-path")
    script = f"""#!/bin/sh
case " $* " in *" push "*)
  if [ ! -e {shim}/dropped ]; then
    touch {shim}/dropped
    PATH="$OLD" "{real}/git" "$@" >/dev/null 2>&1
    echo "fatal: the remote end hung up unexpectedly" >&2
    exit 128
  fi;;
esac
PATH="$OLD" exec "{real}/git" "$@"
"""
    (shim / "git").write_text(script)
    (shim / "git").chmod(0o755)

    def make(state: State) -> Batch:
        calls.append(len(state.releases))
        return claim(clone.head())

    with pytest.MonkeyPatch.context() as patch:
        import os

        patch.setenv("OLD", os.environ["PATH"])
        patch.setenv("PATH", f"{shim}:{os.environ['PATH']}")
        added = ledger.append(repo, facts.read(repo), make, ADA)
    assert (len(added.events), calls) == (1, [0])
    assert len(chain.links(repo, facts.read(repo))) == 1


def test_two_byte_identical_pushes_both_succeed_in_git_and_the_second_has_lost_here(
    clone: Clone, repo: Repo
) -> None:
    same = [RefUpdate(LEDGER_REF, clone.head())]
    assert [push(repo, same), push(repo, same)] == [Pushed.DONE, Pushed.LOST]


def test_two_identical_batches_of_two_authors_are_two_different_objects(clone: Clone, repo: Repo) -> None:
    new = NewTag("v0.1.0", clone.head(), "wine 0.1.0")
    made = {objects.tag(repo, new, Author("ada").run).object for _ in range(2)}
    assert len(made) == 2


def test_killed_between_push_and_report_the_same_again_writes_nothing(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    """What `kill -9` leaves: the remote has the batch, the clone has not heard of it."""
    stale = facts.read(repo)
    append(repo, claim(clone.head()))
    before = bare.refs()

    def make(state: State) -> Batch:
        return Batch() if state.releases else claim(clone.head())

    ledger.append(repo, stale, make, Author("ada"))
    assert bare.refs() == before


def test_push_rejected_by_a_hook_names_the_right_needed_and_leaves_no_local_tag(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    bare.refuse_all("protected: you need the maintainer role")
    before = (bare.refs(), clone.refs())
    with pytest.raises(PushRefused) as caught:
        append(repo, claim(clone.head()))
    assert "you need the maintainer role" in caught.value.what
    assert "refs/tags/v0.1.0" in caught.value.fix
    assert (bare.refs(), clone.refs()) == before


def test_one_refused_ref_refuses_the_whole_push(bare: Bare, clone: Clone, repo: Repo) -> None:
    bare.hook('case "$1" in refs/tags/*) echo "tags are protected" >&2; exit 1;; esac', "update")
    with pytest.raises(PushRefused, match="tags are protected"):
        append(repo, claim(clone.head()))
    assert sorted(bare.refs()) == ["refs/heads/main"]


def test_a_host_that_hides_the_ledgers_ref_is_named_as_refusing_it(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    git(bare.path, "config", "receive.hideRefs", "refs/tagline")
    with pytest.raises(PushRefused, match="hidden ref"):
        append(repo, claim(clone.head()))


def test_a_ref_that_can_never_be_made_is_refused_and_not_a_race(bare: Bare, clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0/old")
    with pytest.raises(PushRefused):
        append(repo, claim(clone.head()))


def test_settings_that_sign_mirror_or_follow_do_not_reach_the_push(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    clone.git("config", "remote.origin.mirror", "true")
    clone.git("config", "push.followTags", "true")
    clone.git("config", "push.gpgSign", "if-asked")
    clone.git("config", "commit.gpgSign", "true")
    clone.tag("mine", message="never pushed", push=False)
    clone.git("config", "tag.gpgSign", "true")
    hook = clone.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    append(repo, claim(clone.head()))
    assert sorted(bare.refs()) == ["refs/heads/main", "refs/tagline/ledger", "refs/tags/v0.1.0"]


def test_what_could_not_be_read_back_is_never_written(bare: Bare, clone: Clone, repo: Repo) -> None:
    event = ev.Uploaded(pipeline="wine", version="0.1", digest="x")
    with pytest.raises(LedgerError, match="no event that the ledger can hold"):
        append(repo, Batch([event]))
    assert LEDGER_REF not in bare.refs()


def test_what_contradicts_the_ledger_is_never_written(clone: Clone, repo: Repo) -> None:
    append(repo, claim(clone.head()))
    with pytest.raises(LedgerError, match="it was released before"):
        append(repo, Batch([released(clone.head())]))


def test_something_large_is_not_taken_into_the_ledger(clone: Clone, repo: Repo) -> None:
    event = ev.Failed(env="prod", model="wine", n=1, why="x" * 70_000)
    with pytest.raises(LedgerError, match="too large"):
        append(repo, Batch([event]))


def test_promotion_tags_without_a_ledger_are_an_error_that_names_adopt(clone: Clone, repo: Repo) -> None:
    clone.tag("promote/prod/wine/1", message="years ago")
    with pytest.raises(LedgerMissing) as caught:
        ledger.read(repo, facts.read(repo))
    assert caught.value.fix.startswith("tagline adopt --reason")


def test_a_lost_ledger_is_the_same_error_and_verify_says_so(bare: Bare, clone: Clone, repo: Repo) -> None:
    append(repo, claim(clone.head()))
    clone.tag("promote/prod/wine/1", message="please")
    git(bare.path, "update-ref", "-d", LEDGER_REF)
    assert "tagline adopt" in verify(repo, facts.read(repo))[0]


def test_adopting_begins_a_ledger_and_settles_what_was_asked(clone: Clone, repo: Repo) -> None:
    clone.tag("promote/prod/wine/7", message="years ago")
    event = ev.Adopted(env="prod", model="wine", n=7, reason="served by hand", serves="0.1.0-r1")
    added = ledger.append(repo, facts.read(repo), lambda state: Batch([event]), ADA, may_be_missing=True)
    place = ledger.read(repo, added.facts).state.place("prod", "wine")
    assert (place.adopted, str(place.serves)) == (7, "0.1.0-r1")


def _forge(clone: Clone, message: str, *, tree: str = "", parents: tuple[str, ...] = ()) -> None:
    """Put a commit of our choice at the ledger's end, by force."""
    tree = tree or clone.git("hash-object", "-w", "-t", "tree", "--stdin")
    on = [word for parent in parents for word in ("-p", parent)]
    made = clone.git("commit-tree", tree, *on, stdin=message)
    clone.git("push", "--quiet", "--force", "origin", f"{made}:{LEDGER_REF}")


def test_a_sound_ledger_has_no_problems(clone: Clone, repo: Repo) -> None:
    append(repo, claim(clone.head()))
    assert verify(repo, facts.read(repo)) == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("not json\n\n[skip ci]\n", "malformed"),
        ('{"event":"sold"}\n\n[skip ci]\n', "sold"),
        ('{"event":"promoted","env":"prod"}\n\n[skip ci]\n', "missing required field"),
        (
            '{"event":"superseded","env":"prod","model":"wine","n":1,"by":2,"x":1}\n\n[skip ci]\n',
            "unknown field",
        ),
        ('{"event":"superseded","env":"prod","model":"wine","n":1,"by":2}\n', "one line of JSON"),
        (
            '{"event":"promoted","env":"prod","model":"wine","n":1,"model_version":"0.1.0-r1"}\n\n[skip ci]\n',
            "promote/prod/wine/1 was never asked",
        ),
    ],
)
def test_a_bad_event_is_named_by_verify_and_nothing_acts_on_it(
    clone: Clone, repo: Repo, message: str, problem: str
) -> None:
    head = append(repo, claim(clone.head())).facts.ledger
    _forge(clone, message, parents=(head,))
    seen = facts.read(repo)
    found = verify(repo, seen)
    assert len(found) == 1
    assert found[0].startswith("event 2 of refs/tagline/ledger")
    assert problem in found[0]
    with pytest.raises(LedgerError, match="event 2"):
        ledger.read(repo, seen)


def test_a_commit_with_files_in_the_ledger_is_found(clone: Clone, repo: Repo) -> None:
    head = append(repo, claim(clone.head())).facts.ledger
    message = wire.encode(released(clone.head(), "0.2.0"))
    _forge(clone, message, tree=clone.git("rev-parse", "HEAD^{tree}"), parents=(head,))
    assert "its tree is not empty" in verify(repo, facts.read(repo))[0]


def test_a_forked_ledger_joined_by_a_merge_is_found(clone: Clone, repo: Repo) -> None:
    first = append(repo, claim(clone.head())).facts.ledger
    second = append(repo, Batch([released(clone.head(), "0.2.0")])).facts.ledger
    _forge(clone, wire.encode(released(clone.head(), "0.3.0")), parents=(second, first))
    assert "merge" in verify(repo, facts.read(repo))[0]


def test_a_ledger_on_top_of_ordinary_commits_is_found(clone: Clone, repo: Repo) -> None:
    _forge(clone, wire.encode(released(clone.head())), parents=(clone.head(),))
    assert verify(repo, facts.read(repo))[0].startswith("event 1 ")


def test_a_truncated_ledger_is_found_by_a_clone_that_has_seen_more_and_can_be_brought_back(
    clone: Clone, repo: Repo
) -> None:
    first = append(repo, claim(clone.head())).facts.ledger
    second = append(repo, claim(clone.head(), "0.2.0")).facts.ledger
    clone.git("push", "--quiet", "--force", "origin", f"{first}:{LEDGER_REF}")
    problem = verify(repo, facts.read(repo))[0]
    command = f"git push --force origin {second}:{LEDGER_REF}"
    assert command in problem
    clone.git(*command.split()[1:])
    assert verify(repo, facts.read(repo)) == []


def test_a_truncated_ledger_is_found_by_its_release_tags_in_a_new_clone(
    bare: Bare, clone: Clone, repo: Repo, tmp_path: Path
) -> None:
    first = append(repo, claim(clone.head())).facts.ledger
    append(repo, claim(clone.head(), "0.2.0"))
    clone.tag("v0.0.9", message="by hand, before tagline")
    clone.git("push", "--quiet", "--force", "origin", f"{first}:{LEDGER_REF}")
    new = Repo.open(bare.clone(tmp_path / "new").path)
    problems = verify(new, facts.read(new))
    assert problems == ["the ledger knows nothing of v0.2.0, which tagline made: it was cut off or rewritten"]


def test_an_edited_ledger_is_found_by_a_clone_that_has_seen_the_original(clone: Clone, repo: Repo) -> None:
    append(repo, claim(clone.head()))
    _forge(clone, wire.encode(released(clone.head(), "0.1.0")))
    assert verify(repo, facts.read(repo))[0].startswith("the ledger was rewritten")


def test_a_release_tag_moved_away_from_its_ledger_commit_is_found(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    first = clone.head()
    append(repo, claim(first))
    git(bare.path, "tag", "--force", "v0.1.0", clone.commit("fix: x", {"x": ""}) and first)
    clone.push()
    clone.git("push", "--quiet", "--force", "origin", "HEAD:refs/tags/v0.1.0")
    problem = verify(repo, facts.read(repo))[0]
    assert f"git push --force origin {first}:refs/tags/v0.1.0" in problem


def test_a_deleted_release_tag_is_said_with_the_push_that_brings_it_back(clone: Clone, repo: Repo) -> None:
    append(repo, claim(clone.head()))
    clone.push(":refs/tags/v0.1.0")
    assert f"git push origin {clone.head()}:refs/tags/v0.1.0" in verify(repo, facts.read(repo))[0]
