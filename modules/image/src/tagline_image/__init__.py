"""Build and push the image of a tree."""

from tagline_image.main import TaglineImage as TaglineImage
