"""The connector is one class, wherever it is imported from, and costs nothing before it is used."""

import subprocess
import sys


def test_both_names_of_the_connector_are_the_same_class_and_load_no_client() -> None:
    code = (
        "import sys\nfrom tagline.connectors import VaultConnector as ours\n"
        "from tagline_task.connectors import VaultConnector as theirs\n"
        "assert ours is theirs\nassert not {'hvac', 'requests'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
