"""`tagline build --push` asks the CI host's variables first: a pull request builds and never pushes."""

from pathlib import Path

import pytest
from tagline.errors import EventNotUsable
from tagline.flow.releasing.images import refuse_of_pull_request
from tagline.hosts.call import Trigger

from tests.hosts.table import FILES, environ, load, name


@pytest.mark.parametrize("file", FILES, ids=name)
def test_only_a_pull_request_s_job_and_one_without_meaning_may_not_push(file: Path, tmp_path: Path) -> None:
    one = load(file)
    if one.call is not None and one.call.trigger is not Trigger.PULL_REQUEST:
        refuse_of_pull_request(environ(one, tmp_path))
        return
    with pytest.raises(EventNotUsable) as caught:
        refuse_of_pull_request(environ(one, tmp_path))
    if one.call:
        assert "never pushes" in caught.value.what
        assert caught.value.fix.startswith("tagline build, without --push")


def test_a_person_s_own_machine_may_push() -> None:
    refuse_of_pull_request({"HOME": "/home/ada"})
