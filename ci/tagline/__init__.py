"""tagline: from a commit to a served model, steered by git tags."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from tagline.pipeline.component import component as component

__version__ = "0.1.0"
__all__ = ["__version__", "component"]


def __getattr__(name: str) -> object:
    """Load `component` only when a pipeline asks for it: it imports kfp."""
    if name == "component":
        from tagline.pipeline.component import component

        return component
    raise AttributeError(f"module 'tagline' has no attribute {name!r}")
