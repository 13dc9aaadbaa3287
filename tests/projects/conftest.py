"""The projects here are material: their own tests run in copies of them, not in this suite."""

collect_ignore_glob = ["*/*"]
