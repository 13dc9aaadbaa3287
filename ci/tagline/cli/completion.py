"""`tagline completion`: what a shell needs to complete tagline's commands, options and names."""

import click

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_TAGLINE_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, environments and models.

    \b
    Examples:
      eval "$(tagline completion bash)"     in ~/.bashrc
      eval "$(tagline completion zsh)"      in ~/.zshrc
      tagline completion fish > ~/.config/fish/completions/tagline.fish
    """
    from click.shell_completion import get_completion_class

    from tagline.cli.group import cli

    kind = get_completion_class(shell)
    assert kind is not None, "click knows every shell of SHELLS"
    click.echo(kind(cli, {}, "tagline", VARIABLE).source())
