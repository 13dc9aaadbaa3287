from kfp import dsl, kubernetes
from kfp_vars import BASE_IMAGE, PIPELINE_NAME, STEPS, WAREHOUSE_SECRET


def spec(step, *args):
    return dsl.ContainerSpec(
        image=BASE_IMAGE,
        command=["python", f"{STEPS}/{step}/task.py"],
        args=["--executor_input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER, *args],
    )


@dsl.container_component
def download_data(table: str, data: dsl.Output[dsl.Dataset]):
    return spec("download_data")


@dsl.container_component
def prepare_data(
    data: dsl.Input[dsl.Dataset],
    test_share: float,
    train: dsl.Output[dsl.Dataset],
    test: dsl.Output[dsl.Dataset],
    rows: dsl.OutputPath(int),
):
    return spec("prepare_data")


@dsl.container_component
def train_model(train: dsl.Input[dsl.Dataset], rounds: int, model: dsl.Output[dsl.Model]):
    return spec("train_model")


@dsl.container_component
def evaluate(
    model: dsl.Input[dsl.Model],
    test: dsl.Input[dsl.Dataset],
    rows: int,
    metrics: dsl.Output[dsl.Metrics],
):
    return spec("evaluate", "--rows", rows)


def prepare_task(task, cpu="500m", memory="512Mi", secret=None):
    task.set_cpu_request(cpu).set_cpu_limit(cpu)
    task.set_memory_request(memory).set_memory_limit(memory)
    if secret:
        kubernetes.use_secret_as_env(task, secret_name=secret, secret_key_to_env={"token": "WAREHOUSE_TOKEN"})
    return task


@dsl.pipeline(name=PIPELINE_NAME, description="Tells two kinds of seals apart by length and weight.")
def seals(table: str = "seals.measured", test_share: float = 0.25, rounds: int = 20):
    downloaded = prepare_task(download_data(table=table), secret=WAREHOUSE_SECRET)
    prepared = prepare_task(prepare_data(data=downloaded.outputs["data"], test_share=test_share))
    trained = prepare_task(train_model(train=prepared.outputs["train"], rounds=rounds), cpu="1", memory="1Gi")
    prepare_task(
        evaluate(
            model=trained.outputs["model"],
            test=prepared.outputs["test"],
            rows=prepared.outputs["rows"],
        )
    )
