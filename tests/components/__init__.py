"""What tests of the common components share: the projects of the how-to page."""
