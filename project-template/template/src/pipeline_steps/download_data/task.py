"""Fetches the raw data. Here it comes with scikit-learn; in your project it comes from where your data is."""

from lib.config import COLUMNS, CULTIVARS, LABEL, ROW_ID
from sklearn.datasets import load_wine
from tagline_task import Dataset, Output, run


def download_data(data: Output[Dataset]) -> None:
    """All 178 wines as a table: row_id, thirteen measurements, cultivar."""
    wine = load_wine(as_frame=True)
    table = wine.data.set_axis(COLUMNS, axis="columns")
    table.insert(0, ROW_ID, [f"wine-{number:03d}" for number in range(len(table))])
    table[LABEL] = [CULTIVARS[number] for number in wine.target]
    table.to_csv(data.path, index=False)


if __name__ == "__main__":
    run(download_data)
