"""Common components: tasks that many pipelines need, each a function, a command and a container of a pipeline.

`tagline_task.components.v1.split` has the function `split`, and `python -m tagline_task.components.v1.split` is the
task; a pipeline takes it as `from tagline.components.v1 import split`. What a component needs besides the standard
library it imports when it runs.
"""
