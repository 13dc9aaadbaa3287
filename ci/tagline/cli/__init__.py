"""The command line: one small file per command, each loaded only when it is called."""
