"""How other modules call tagline's."""

from tagline_examples.main import TaglineExamples as TaglineExamples
