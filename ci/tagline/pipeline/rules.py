def unsupported(ir):
    out = []
    for n, t in ir["root"]["dag"]["tasks"].items():
        if "parameterIterator" in t:
            out.append(f"dsl.ParallelFor ({n})")
    for l, e in ir["deploymentSpec"]["executors"].items():
        if any("kfp.dsl.executor_main" in c for c in e.get("container", {}).get("command", [])):
            out.append("a lightweight component")
    return out


def argument_too_long(argv, given=None):
    return None
