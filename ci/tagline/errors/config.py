"""20–29: tagline.yaml, names, what is asked for."""

from tagline.errors.base import TaglineError


class ConfigError(TaglineError):
    """tagline.yaml is not valid YAML, has an unknown key or a wrong value."""

    exit_code = 20


class UnknownName(ConfigError):
    """An environment, model or pipeline that nobody declared."""

    exit_code = 21


class NotYetSupported(ConfigError):
    """The policy or pipeline asks for what this version of tagline does not bring."""

    exit_code = 22


class MissingKeys(ConfigError):
    """tagline.yaml lacks keys that this command needs."""

    exit_code = 23


class BadWord(ConfigError):
    """A name, version or tag that does not follow its grammar."""

    exit_code = 24


class LockMissing(ConfigError):
    """src/requirements.txt has a line without a pinned version and hash."""

    exit_code = 25


class MissingTool(ConfigError):
    """A program or package that this command needs is not installed."""

    exit_code = 26


class TargetExists(ConfigError):
    """`tagline init` would write over files that are there."""

    exit_code = 27


class TemplateConflict(ConfigError):
    """A later template and the project changed the same lines; both stand in the files, marked."""

    exit_code = 28


class TemplateUnknown(ConfigError):
    """No usable record says which template the project was made from, or a later tagline wrote it."""

    exit_code = 29
