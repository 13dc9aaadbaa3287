"""A compiled pipeline run by kfp's own local orchestrator: `python by_kfp.py FILE SOURCE FOLDER PARAMETERS`.

Each task is a plain process, as kfp's SubprocessRunner makes one of a lightweight component; what each wrote is
left in FOLDER, one folder for each task.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kfp import components, local
from kfp.local import executor_input_utils, status, subprocess_task_handler, task_dispatcher

FILE, SOURCE, FOLDER, GIVEN = sys.argv[1:]
WORK = "/app/src"


class Handler:
    """Runs a command where the source tree stands for the image; kfp makes no folders for outputs."""

    def __init__(self, image: str, full_command: list[str], **_: Any) -> None:
        self.command = [word.replace(WORK, f"{SOURCE}/src") for word in full_command]

    def run(self) -> status.Status:
        for word in self.command:
            if word.startswith(FOLDER):
                Path(word).parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(self.command, check=False)
        return status.Status.SUCCESS if done.returncode == 0 else status.Status.FAILURE


def main() -> None:
    """Run the pipeline; each task in a folder of its own number, where kfp takes one for all rounds of a loop."""
    numbers = iter(range(1000))
    theirs = executor_input_utils.construct_local_task_root

    def own(**given: str) -> str:
        return f"{theirs(**given)}.{next(numbers)}"

    executor_input_utils.construct_local_task_root = own
    subprocess_task_handler.SubprocessTaskHandler = Handler
    assert task_dispatcher.subprocess_task_handler is subprocess_task_handler
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=FOLDER)
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    components.load_component_from_file(FILE)(**json.loads(GIVEN))


if __name__ == "__main__":
    main()
