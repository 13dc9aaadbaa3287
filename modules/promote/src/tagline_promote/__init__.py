"""Preview a promotion, and ask for it by a tag."""

from tagline_promote.main import TaglinePromote as TaglinePromote
