"""Which CI host calls: by the mark that each documents."""

import pytest
from tagline.hosts import Host, detect


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({}, Host.GIT),
        ({"CI": "true"}, Host.GIT),
        ({"GITHUB_ACTIONS": "true"}, Host.GITHUB),
        ({"GITLAB_CI": "true"}, Host.GITLAB),
        ({"JENKINS_URL": "https://jenkins.example/"}, Host.JENKINS),
        ({"JENKINS_URL": ""}, Host.GIT),
    ],
)
def test_a_host_is_known_by_its_mark(environ: dict[str, str], host: Host) -> None:
    assert detect(environ) is host
