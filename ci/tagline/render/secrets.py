"""What `tagline secrets` says, as text; there is never a value in it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagline.flow.desk.secrets import Found
    from tagline.secrets.bootstrap import Made


def check_text(found: "list[Found]") -> str:
    """A line for each wish."""
    if not found:
        return "nothing to check: the pipeline asks for no secret, and tagline.yaml has no secrets.path"
    rows = [(one.environment, one.place, one.key, str(one.state), one.why) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()
        for row in rows
    )


def bootstrap_text(made: "Made", dotenv: bool) -> str:
    """What was made and what comes next."""
    until = f"until {made.until}" if made.until else "for ever"
    what = "what this machine needs of" if dotenv else "as"
    next_ = "tagline secrets check" if dotenv else f"kubectl apply -f {made.file} && rm {made.file}"
    return (
        f"policy and role {made.role} are in the store; a new secret_id holds {until} (accessor {made.accessor})\n"
        f"wrote {made.file} (mode 0600): {what} the Kubernetes Secret {made.secret}\n"
        f"next: {next_}"
    )
