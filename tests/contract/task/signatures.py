"""Task files with every kind of signature, as Hypothesis makes them."""

from hypothesis import strategies as st

KINDS = {
    "int": st.integers(-(2**31), 2**31),
    "float": st.floats(-1e9, 1e9),
    "str": st.text("ab ü'\"{}$%", max_size=8),
    "bool": st.booleans(),
    "list": st.lists(st.integers(0, 9), max_size=3),
    "dict": st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), max_size=2),
}
SPELLINGS = {"list": ["list", "list[int]", "List[int]"], "dict": ["dict", "dict[str, int]", "Dict"]}
ARTIFACTS = st.sampled_from(["Artifact", "Dataset", "Model", "Metrics"])
HEADER = "from typing import Dict, List, NamedTuple, Optional, Union\nimport tagline_task as tt\n" + (
    "from tagline_task import Artifact, Dataset, Input, Metrics, Model, Output as Out, run\n"
)


@st.composite
def parameters(draw, name):
    """`name: type = default` in one of the ways to write it."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    spelled = draw(st.sampled_from(SPELLINGS.get(kind, [kind])))
    if draw(st.booleans()):
        forms = ["{} | None", "Optional[{}]", "Union[{}, None]", "'{} | None'"]
        return f"{name}: {draw(st.sampled_from(forms)).format(spelled)} = None"
    default = f" = {draw(KINDS[kind])!r}" if draw(st.booleans()) else ""
    return f"{name}: {spelled}{default}"


@st.composite
def returned(draw):
    """A return annotation, and the class it needs."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=3))
    match draw(st.integers(0, 3)):
        case 0 if kinds:
            fields = "".join(f"    r{index}: {kind}\n" for index, kind in enumerate(kinds))
            return f"class Gives(NamedTuple):\n{fields}\n", " -> Gives"
        case 1 if kinds:
            fields = ", ".join(f"('r{index}', {kind})" for index, kind in enumerate(kinds))
            return "", f" -> NamedTuple('Gives', [{fields}])"
        case 2 if kinds:
            return "", f" -> {kinds[0]}"
        case _:
            return "", draw(st.sampled_from(["", " -> None"]))


@st.composite
def task_files(draw):
    """The text of a task's file with some signature."""
    count = draw(st.integers(0, 3))
    inputs = [
        f"i{n}: {draw(st.sampled_from(['Input', 'tt.Input']))}[{draw(ARTIFACTS)}]" for n in range(count)
    ]
    outputs = [f"o{n}: 'Out[{draw(ARTIFACTS)}]'" for n in range(draw(st.integers(0, 2)))]
    values = [draw(parameters(f"p{n}")) for n in range(draw(st.integers(0, 4)))]
    before, gives = draw(returned())
    body = f'def task(*, {", ".join(inputs + outputs + values)}){gives}:\n    """Does {count} things."""\n'
    return HEADER + before + body.replace("*, )", ")") + "if __name__ == '__main__':\n    run(task)\n"
