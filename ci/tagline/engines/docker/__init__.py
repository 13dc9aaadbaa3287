"""Engine `docker`: images by BuildKit through Docker's command, everything else through its API.

Nothing here starts an engine, pushes an image, or knows what a release is.
"""
