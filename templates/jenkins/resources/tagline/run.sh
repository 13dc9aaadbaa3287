#!/bin/sh
# run: one agent's part of the plan in TAGLINE_CALL_DIR, in place of this shell; `run.sh needs` then prints what the
# next agent must have, by tagline's last line.
set -eu
if [ "${1:-}" = needs ]; then
  until [ -e "$TAGLINE_CALL_DIR/needs" ]; do sleep 0.1; done
  exec cat "$TAGLINE_CALL_DIR/needs"
fi
# tee outlives the signal of a cancelled build: tagline keeps its output while it tidies up
mkfifo "$TAGLINE_CALL_DIR/said"
(
  trap '' TERM
  tee "$TAGLINE_CALL_DIR/run.txt" <"$TAGLINE_CALL_DIR/said"
  tail -n 1 "$TAGLINE_CALL_DIR/run.txt" | sed -n 's/^needs-agent: //p' >"$TAGLINE_CALL_DIR/needs.new"
  mv "$TAGLINE_CALL_DIR/needs.new" "$TAGLINE_CALL_DIR/needs"
) &
exec "$TAGLINE_BIN" run "$TAGLINE_CALL_DIR/p.json" --have "$TAGLINE_CALL_HAVE" \
  --state "$TAGLINE_CALL_DIR/state" --report "$TAGLINE_CALL_DIR/tagline" >"$TAGLINE_CALL_DIR/said" 2>&1
