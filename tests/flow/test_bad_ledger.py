"""A ledger that is missing, edited, forked, or another machine's: named by every command, mended by a person."""

from tests.fakes.repositories import git
from tests.flow.stage import LEDGER, Desk

TAG = "promote/prod/tiny/1"


def act(desk: Desk, tag: str = TAG) -> list[str]:
    return ["ci", "--event", "tag", "--ref", tag]


def settled(desk: Desk) -> tuple[dict[str, str], list[str]]:
    """What must not change: every ref of the remote, and the ledger's events."""
    return desk.refs(), desk.kinds()


def test_tags_older_than_the_ledger_are_settled_by_a_person_and_then_nobody_acts(desk: Desk) -> None:
    desk.clone.tag(TAG, message="Promote tiny\n")
    desk.clone.tag("promote/prod/tiny/2", message="Promote tiny\n")
    before = desk.refs()
    for command in (["ci"], ["ci", "--event", "schedule"], ["status"], act(desk)):
        found = desk.tagline(*command)
        assert found.code == 51, found
        assert f"there are promotion tags ({TAG}, promote/prod/tiny/2), but no ledger" in found.err
        assert "fix:   tagline adopt --reason" in found.err
    assert desk.refs() == before
    adopted = desk.tagline("adopt", "--reason", "from before")
    assert adopted.code == 0
    assert "adopted prod/tiny up to number 2: nothing serves" in adopted.out
    assert desk.kinds() == ["adopted"]
    for tag in (TAG, "promote/prod/tiny/2"):
        after = desk.tagline(*act(desk, tag))
        assert after.code == 0
        assert "nothing to do" in after.out
    assert desk.tagline("ci", "--event", "schedule").code == 0
    assert desk.kinds() == ["adopted"]
    again = desk.tagline("adopt", "--reason", "from before")
    assert (again.code, again.out) == (0, "nothing to do: nothing is unsettled\n")


def rewritten(desk: Desk, old: str, new: str) -> None:
    """Rewrite the ledger's newest event that says `old`, and everything after it, by force."""
    commits = git(desk.bare.path, "rev-list", "--reverse", LEDGER).split()
    parent = ""
    for commit in commits:
        message = git(desk.bare.path, "log", "-1", "--format=%B", commit).replace(old, new) + "\n"
        options = ["-p", parent] if parent else []
        tree = git(desk.bare.path, "rev-parse", f"{commit}^{{tree}}")
        parent = git(desk.clone.path, "commit-tree", tree, *options, "-F", "-", stdin=message)
    desk.clone.git("push", "--quiet", "--force", "origin", f"{parent}:{LEDGER}")


def test_an_event_that_was_edited_to_nonsense_is_named_by_every_command(released: Desk) -> None:
    rewritten(released, '"event":"uploaded"', '"event":"uplifted"')
    before = released.refs()
    for command in (["verify"], ["ci"], ["promote", "tiny", "--to", "prod"]):
        found = released.tagline(*command)
        assert found.code == 50, found
        assert "event 2 of" in found.err
        assert "is bad" in found.err
    assert released.refs() == before


def test_a_ledger_that_was_rewritten_is_found_by_the_clone_that_saw_the_old_one(released: Desk) -> None:
    assert released.tagline("verify").code == 0
    rewritten(released, '"threshold":40', '"threshold":99')
    found = released.tagline("verify")
    assert found.code == 50
    assert "ledger" in found.err
    assert "fix:" in found.err


def test_a_forked_ledger_is_named(released: Desk) -> None:
    first = git(released.bare.path, "rev-list", "--reverse", LEDGER).split()[0]
    head = released.refs()[LEDGER]
    tree = git(released.bare.path, "rev-parse", f"{head}^{{tree}}")
    merge = released.clone.git("fetch", "--quiet", "origin", LEDGER) or released.clone.git(
        "commit-tree", tree, "-p", head, "-p", first, "-m", "merge"
    )
    released.clone.git("push", "--quiet", "--force", "origin", f"{merge}:{LEDGER}")
    found = released.tagline("verify")
    assert found.code == 50
    assert "event 4 of" in found.err
    assert "it is a merge" in found.err


def test_a_promotion_of_another_machine_is_named_with_it_and_can_be_taken_over(served: Desk) -> None:
    machine = (served.home / "machine").read_text().strip()
    other = str(served.folder / "other-home")
    before = settled(served)
    for command in (
        ["rollback", "tiny", "--env", "prod"],
        ["promote", "tiny", "--to", "prod", "--version", "0.1.0-r1", "--preview"],
    ):
        found = served.tagline(*command, TAGLINE_HOME=other)
        assert found.code == 52, found
        assert f"tiny in prod is served by the local platform of {machine}" in found.err
        assert f"tagline adopt --reason 'moved from {machine}'" in found.err
    status = served.tagline("status", TAGLINE_HOME=other)
    assert status.code == 0
    assert f"decided on the local platform of {machine}" in status.out
    assert settled(served) == before
    adopted = served.tagline("adopt", "--reason", f"moved from {machine}", TAGLINE_HOME=other)
    assert adopted.code == 0
    assert "nothing serves" in adopted.out


def lose_ledger(desk: Desk) -> str:
    """Delete the ledger on the remote; returns its last commit, which this clone has seen."""
    last = desk.refs()[LEDGER]
    git(desk.bare.path, "update-ref", "-d", LEDGER)
    return last


def test_a_deleted_ledger_is_never_sound_where_only_releases_tell_of_it(released: Desk) -> None:
    last = lose_ledger(released)
    before = released.refs()
    for command in (["verify"], ["ci"], ["status"], ["promote", "tiny", "--to", "prod"], ["train"]):
        found = released.tagline(*command)
        assert found.code in {50, 51}, found
        assert "the ledger is gone: tagline made releases here (v0.1.0)" in found.err
    assert released.refs() == before
    assert f"git push origin {last}:{LEDGER}" in found.err
    released.clone.git("push", "--quiet", "origin", f"{last}:{LEDGER}")
    assert released.tagline("verify").code == 0
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0


def test_release_tags_that_people_made_tell_of_no_ledger(desk: Desk) -> None:
    desk.clone.tag("v0.0.1", message="before tagline\n")
    assert desk.tagline("status").code == 0
    assert "no ledger" not in desk.tagline("verify").out


def test_after_a_lost_ledger_was_adopted_the_environment_goes_on(served: Desk) -> None:
    lose_ledger(served)
    adopted = served.tagline("adopt", "--reason", "the host lost it")
    assert adopted.code == 0, adopted
    for said in ("release 0.1.0", "model tiny 0.1.0-r1", "prod/tiny up to number 1: 0.1.0-r1 serves"):
        assert said in adopted.out
    place = served.place()
    assert (place["decided"], place["serves"], place["disagree"][1:]) == ("0.1.0-r1", "0.1.0-r1", [])
    again = served.tagline("train", "--release", "0.1.0")
    assert "model 0.1.0-r2" in again.out, again
    gate = served.tagline("promote", "tiny", "--to", "prod", "--version", "0.1.0-r2", "--preview")
    assert gate.code == 0, gate
    back = served.tagline("rollback", "tiny", "--env", "prod", "--to", "0.1.0-r1")
    assert back.code == 0, back
    served.clone.git("update-ref", "-d", "refs/tagline/lost-ledger")
    assert served.tagline("verify").code == 0
