"""Everything that can be said about a tree before it is released."""

from tagline_check.main import TaglineCheck as TaglineCheck
