"""`tagline ci --env E` acts on the promotions of one environment alone, one call at a time."""

from tagline.platforms.local.rollouts import LocalRollouts

from tests.flow.stage import Desk


def ask(desk: Desk, *environments: str) -> None:
    for env in environments:
        asked = desk.tagline("promote", "tiny", "--to", env)
        assert asked.code == 0, asked


def test_one_environments_call_leaves_the_other_environments_promotions_open(released: Desk) -> None:
    ask(released, "staging", "prod")
    planned = released.tagline("plan", "--event", "schedule", "--json")
    assert planned.json()["environments"] == ["prod", "staging"], planned
    needs = {step["subject"]: step["needs"] for step in planned.json()["steps"]}
    assert needs["promote/prod/tiny/1"] == ["credential:prod", "platform", "push"]
    done = released.tagline("ci", "--env", "staging")
    assert done.code == 0, done
    assert released.place("staging")["decided"] == "0.1.0-r1"
    assert released.place("prod")["asked_open"]
    left = released.tagline("plan", "--event", "schedule", "--json")
    assert left.json()["environments"] == ["prod"], left
    idle = released.tagline("ci", "--env", "staging")
    assert idle.code == 0 and "nothing to do: no open promotion in staging" in idle.out, idle


def test_a_second_call_for_an_environment_says_who_holds_it_and_changes_nothing(released: Desk) -> None:
    ask(released, "prod")
    before = released.events()
    with LocalRollouts(released.home).lock("prod", "tiny"):
        second = released.tagline("ci", "--event", "schedule", "--env", "prod")
    assert second.code == 75, second
    assert "prod/tiny is held by pid" in second.err
    assert released.events() == before


def test_a_plan_for_one_environment_runs_with_that_environments_credential_only(released: Desk) -> None:
    ask(released, "prod")
    file = released.folder / "plan.json"
    planned = released.tagline("plan", "--env", "prod", "-o", str(file))
    assert planned.code == 0 and "environments with work: prod" in planned.out, planned
    wrong = released.tagline("run", str(file), "--have", "platform,push,credential:staging")
    assert wrong.code == 111 and wrong.out.endswith("needs-agent: credential:prod,platform,push\n"), wrong
    done = released.tagline("run", str(file), "--have", "platform,push,credential:prod")
    assert done.code == 0, done
    assert released.place("prod")["decided"] == "0.1.0-r1"
    again = released.tagline("run", str(file))
    assert again.code == 0, again


def test_another_promotion_of_the_place_makes_the_plan_differ_one_elsewhere_does_not(released: Desk) -> None:
    ask(released, "prod")
    file = released.folder / "plan.json"
    assert released.tagline("plan", "--env", "prod", "-o", str(file)).code == 0
    ask(released, "staging")
    same = released.tagline("run", str(file), "--have", "")
    assert same.code == 111, same
    released.clone.tag("promote/prod/tiny/2", message="Promote\n\nModel-Version: 0.1.0-r1\n")
    refused = released.tagline("run", str(file), "--have", "platform,push,credential:prod")
    assert refused.code == 112 and "refs/tags/promote/prod/tiny/2 is new" in refused.err, refused


def test_an_environment_goes_with_promotions_only(released: Desk) -> None:
    refused = released.tagline("ci", "--event", "merge", "--env", "prod")
    assert refused.code == 24, refused
    unknown = released.tagline("ci", "--env", "prd")
    assert unknown.code == 21 and "'prod'" in unknown.err, unknown
