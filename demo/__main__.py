"""Plays the story: from an empty repository to a model that serves, a better one, and one that is taken back."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from demo.stage import ROOT, Stage, StoryBroken

FOLDER = ROOT / ".demo"
RATE = 25
BETTER = ("src/lib/config.py", 'FEATURES = ["alcohol", "malic_acid", "ash"]\n', "FEATURES = COLUMNS\n")
SIMPLER = (
    "src/pipeline_steps/train_model/task.py",
    '        SimpleImputer(strategy="median"),\n',
    "",
)
NO_IMPORT = ("src/pipeline_steps/train_model/task.py", "from sklearn.impute import SimpleImputer\n", "")
WINE = {"alcohol": 14.2, "malic_acid": 1.7, "ash": 2.4}


def first_model(stage: Stage) -> None:
    """A repository from the template; a branch is checked, its merge is released and trained."""
    stage.say("1. A bare remote, a project from the template, a branch: CI checks it")
    stage.type("git init --quiet --bare --initial-branch=main remote.git")
    stage.type("tagline init wine --defaults")
    stage.cwd = stage.folder / "wine"
    stage.type("git remote add origin ../remote.git")
    stage.type("git commit --quiet --allow-empty -m 'chore: begin' && git push --quiet -u origin main")
    stage.type("git switch --quiet -c first-model && git add -A && git commit --quiet -m 'feat: first model'")
    stage.type("git push --quiet -u origin first-model")
    stage.type("tagline ci")
    stage.say("   The merge: CI releases it by itself, trains it, and registers the model")
    stage.type("git switch --quiet main && git merge --quiet --no-ff -m 'Merge first-model' first-model")
    stage.type("git push --quiet && tagline ci")


def first_promotion(stage: Stage) -> None:
    """The first model is judged by the declared floor, and serves."""
    stage.say(
        "2. A tag asks for the model in prod: the gate judges it by the declared floor, KServe serves it"
    )
    stage.type("tagline promote wine --to prod")
    stage.type("tagline ci --event tag --ref promote/prod/wine/1")
    print(f"$ {curl(stage)}")
    print(f"  {predict(stage)}")


def better_model(stage: Stage) -> None:
    """A better model takes the traffic in steps, and no request is lost."""
    stage.say("3. A better model, by a code change: in steps, under a steady stream of requests")
    stage.edit(*BETTER)
    stage.type("git commit --quiet -am 'feat: look at every measurement' && git push --quiet && tagline ci")
    stage.type("tagline promote wine --to prod")
    with stage.background(f"tagline local traffic wine --rate {RATE}"):
        stage.type("tagline ci --event tag --ref promote/prod/wine/2")


def bad_model(stage: Stage) -> None:
    """As good on the hold-out, and fails where a field is missing: the canary takes it back."""
    stage.say(
        "4. A model that is as good on the hold-out, and fails on requests with a missing field (30 % of them)"
    )
    stage.edit(*SIMPLER)
    stage.edit(*NO_IMPORT)
    stage.type("git commit --quiet -am 'fix: a simpler model' && git push --quiet && tagline ci")
    stage.type("tagline promote wine --to prod")
    with stage.background(f"tagline local traffic wine --rate {RATE} --without proline --share 0.3"):
        stage.type("tagline ci --event tag --ref promote/prod/wine/3", exits=71)


def afterwards(stage: Stage) -> None:
    """What is known, what happened, and the way back."""
    stage.say("5. What serves, what happened, and the way back")
    stage.type("tagline status")
    stage.type("tagline history")
    stage.type("tagline rollback wine --env prod --reason 'to show it'")
    stage.type("tagline status")


STORY = (first_model, first_promotion, better_model, bad_model, afterwards)


def url(stage: Stage) -> str:
    return f"http://127.0.0.1:{stage.env['TAGLINE_PORT']}/prod/v1/models/wine:predict"


def curl(stage: Stage) -> str:
    body = json.dumps({"instances": [WINE]})
    return f"curl -s -H 'content-type: application/json' -d '{body}' {url(stage)}"


def predict(stage: Stage) -> str:
    """One prediction, asked for as the printed curl would."""
    body = json.dumps({"instances": [WINE]}).encode()
    request = urllib.request.Request(url(stage), body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def main(arguments: list[str]) -> int:
    keep = "--keep" in arguments
    stage = Stage(Path(next((one for one in arguments if not one.startswith("-")), FOLDER)))
    stage.clear()
    broken = ""
    try:
        for scene in STORY:
            scene(stage)
    except StoryBroken as error:
        broken = f"\nthe story broke: {error}"
    except KeyboardInterrupt:
        broken = "\ninterrupted"
    finally:
        if not keep or broken:
            subprocess.run(
                ["tagline", "local", "down"], cwd=stage.folder, env=stage.env, check=False, timeout=120
            )
    print(
        broken
        or f"\nThe story took {time.monotonic() - stage.started:.0f} s. The project is in {stage.folder / 'wine'}"
    )
    if keep and not broken:
        print(f"The model still serves. Ask it:\n  {curl(stage)}\nEnd it:\n  {ending(stage)}")
    return 1 if broken else 0


def ending(stage: Stage) -> str:
    return f"TAGLINE_HOME={stage.env['TAGLINE_HOME']} {ROOT / '.venv/bin/tagline'} local down"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
