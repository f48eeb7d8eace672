"""`voyageai completion`: a shell script that completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .options import common_options

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@common_options
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a shell script that completes commands and options.

    \b
    Examples:
      voyageai completion bash > ~/.local/share/bash-completion/completions/voyageai
      voyageai completion zsh > ~/.zfunc/_voyageai
      voyageai completion fish > ~/.config/fish/completions/voyageai.fish
      voyageai completion powershell >> $PROFILE
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"this version of click has no completion for {shell}")
    script = kind(ctx.find_root().command, {}, "voyageai", "_VOYAGEAI_COMPLETE")
    click.echo(script.source())
