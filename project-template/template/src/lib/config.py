"""What the tasks agree on: the columns, what the model looks at, and which rows it must never see."""

# scikit-learn's wine: what a laboratory measured of 178 wines from three grapes.
COLUMNS = [
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280_od315",
    "proline",
]
CULTIVARS = ["barolo", "grignolino", "barbera"]
LABEL = "cultivar"
ROW_ID = "row_id"

# What the model looks at. The first model is modest: three of thirteen measurements.
FEATURES = ["alcohol", "malic_acid", "ash"]


def in_holdout(row_id: str) -> bool:
    """Whether a row (`wine-017`) belongs to the gate: 72 of the 178, in data/holdout.csv. No task trains on it."""
    return int(row_id.removeprefix("wine-")) % 5 in (0, 2)
