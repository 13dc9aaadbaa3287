"""`tagline secrets`: what tasks read from Vault or OpenBao."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, show


@click.group()
def command() -> None:
    """Secrets in Vault or OpenBao: are they there, write one, make the credentials that tasks read them with.

    The store is found by VAULT_ADDR and opened by VAULT_TOKEN, or by VAULT_ROLE_ID and VAULT_SECRET_ID; each may
    be a file that <NAME>_FILE names, or stand in an ignored .env.

    \b
    Examples:
      tagline secrets check
      tagline secrets put wine/prod DB_PASSWORD < password.txt
      tagline secrets bootstrap --env prod -o ~/vault-approle.yaml
    """


@command.command("check")
@as_json
def check_(json_: bool) -> int:
    """Look whether each environment has what the pipeline asks for; reads no value. Exit 105 if one is missing.

    \b
    Examples:
      tagline secrets check
    """
    from tagline.errors import SecretsIncomplete
    from tagline.flow.desk.secrets import State, check
    from tagline.render.secrets import check_text

    found = check(Path.cwd())
    show(found, json_, check_text)
    return SecretsIncomplete.exit_code if any(one.state is State.MISSING for one in found) else 0


@command.command("put")
@click.argument("path")
@click.argument("key")
@click.option("--mount", default="", help="The engine's mount; default: tagline.yaml's, else secret.")
def put_(path: str, key: str, mount: str) -> None:
    """Write the value on standard input as KEY of the secret at PATH; its other keys stay.

    One line break at the end is not part of the value. A terminal is asked without an echo. On engine version 1,
    which has no check-and-set, it is refused.

    \b
    Examples:
      printf %s "$VALUE" | tagline secrets put wine/prod DB_PASSWORD
      tagline secrets put wine/prod TLS_KEY --mount team < tls.key
    """
    from tagline.flow.desk.secrets import put, short

    value = _value()
    place, written = put(Path.cwd(), path, key, value, mount)
    click.echo(
        f"{place}: {key} written, version {written.version}"
        if written.changed
        else f"{place}: nothing to do, {key} has this value in version {written.version}"
    )
    if short(value):
        click.echo("note: values shorter than 8 characters are not masked in logs", err=True)


def _value() -> str:
    import sys

    from tagline.errors import ConfigError

    if sys.stdin.isatty():
        return str(click.prompt("value", hide_input=True))
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise ConfigError("the value is no UTF-8 text", fix="base64 FILE | tagline secrets put …") from error
    return text.removesuffix("\n").removesuffix("\r")


@command.command("bootstrap")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to make (mode 0600)."
)
@click.option("--env", "environment", default="", help="Which environment, where secrets.path has {env}.")
@click.option("--pipeline", default="", help="Which pipeline, where the repository holds several.")
@click.option("--namespace", default="", help="The Kubernetes namespace of the Secret.")
@click.option(
    "--secret-id-ttl", default="2160h", show_default=True, help="How long secret_id holds; 0: always."
)
@click.option("--dotenv", is_flag=True, help="Write NAME=value lines for a .env instead of a manifest.")
def bootstrap_(
    output: Path, environment: str, pipeline: str, namespace: str, secret_id_ttl: str, dotenv: bool
) -> None:
    """Make a policy that reads the pipeline's secrets, an AppRole with it, and a Kubernetes Secret's manifest.

    The credentials stand in the file alone, which git must not be able to take; nothing of them is printed, and
    on a CI the command is refused. It needs a token that may write policies and roles.

    \b
    Examples:
      tagline secrets bootstrap -o ~/vault-approle.yaml
      tagline secrets bootstrap --env prod --namespace ml -o ~/vault-approle.yaml
      tagline secrets bootstrap --env prod --dotenv -o .env
    """
    from tagline.flow.desk.secrets import Asked, bootstrap
    from tagline.render.secrets import bootstrap_text

    asked = Asked(environment, pipeline, namespace, secret_id_ttl, dotenv)
    click.echo(bootstrap_text(bootstrap(Path.cwd(), output, asked), dotenv))
