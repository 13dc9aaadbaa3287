"""`make bench`: every speed as a ratio, measured side by side in one run, printed as Markdown tables."""

import os
from pathlib import Path

from tests.bench import commands, router


def main() -> None:
    os.environ.setdefault("TAGLINE_VENVS", str(Path(__file__).parents[2] / ".demo/venvs"))
    for bench in (commands.help_table, commands.nothing_to_do_table):
        print(bench(), flush=True)
        print()
    print("### The router against direct KServe\n\n```text", flush=True)
    router.main()
    print("```")


if __name__ == "__main__":
    main()
