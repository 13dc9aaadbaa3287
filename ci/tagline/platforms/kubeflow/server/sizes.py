"""How large a pipeline may be: what the server and Kubernetes take, in bytes."""

RUN = 5 * 10**6  # of a run: above it none starts, though the server reads uploads of 32 MiB
OBJECT = 3 << 19  # of one object that etcd takes: a version in the Kubernetes-native store
