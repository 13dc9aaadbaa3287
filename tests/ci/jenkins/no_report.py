"""tagline without the option `--report`: goes away with `REPORTS` in test_story.py."""

import os
import sys

if __name__ == "__main__":
    args = sys.argv[1:]
    if "--report" in args:
        at = args.index("--report")
        args[at : at + 2] = []
    tagline = os.environ["TAGLINE_TODAY"]
    os.execv(tagline, [tagline, *args])
