"""Put on PYTHONPATH of one command: its clock is CLOCK_AHEAD seconds ahead of the machine, as the fake server is."""

import os
import time

_ahead = float(os.environ.pop("CLOCK_AHEAD", "0"))
_time = time.time
if _ahead:
    time.time = lambda: _time() + _ahead
