"""`tagline compile`: pipeline.py to pipeline.yaml."""

from pathlib import Path

import click


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to write; default: beside FILE.")
def command(file: Path | None, output: Path | None) -> None:
    """Compile FILE (default: docker/kubeflow_pipeline/pipeline.py) to pipeline.yaml, always the same bytes.

    Where tagline.yaml names several pipelines, all of them, each beside its own file.

    \b
    Examples:
      tagline compile
      tagline compile pipelines/train.py -o train.yaml
    """
    from tagline.flow.checking.work_tree import compile_work_tree

    for made in compile_work_tree(Path.cwd(), file, output):
        click.echo(f"wrote {made}")
