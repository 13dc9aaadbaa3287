"""A fake Kubeflow Pipelines 2.17.0 API server on loopback, strict and wrong where the real one is.

    with FakeKfp("database") as kfp:          # or "database-utf8mb4", "multiuser", "k8s-native"
        ...  kfp.url                          # http://127.0.0.1:PORT, routes below /apis/v2beta1

`FakeKfp(mode, namespace="kubeflow", start=None)`: `namespace` is the system's, `start` the simulated time
(seconds since 1970; now, if not given). Time stands still until a test moves it: `kfp.advance(seconds)`, or
`kfp.pace = 5.0` for five seconds with every request (for a client in another process).

Levers (each undone by `calm()` where it breaks something):
  advance(s)                 schedules tick (one run each); PENDING is RUNNING after 1 s, CANCELING FAILED after 8 s
  finish(run, state="SUCCEEDED", error="")   end a run by id or display name
  finish_by_itself(state="SUCCEEDED", after=2)   every run ends at the second GET of it
  fail_next(n, status)       the next n requests get `status`, nothing done
  lose_answers(n)            the next n changes are made, then the connection is cut
  hang(), lose_database(), object_store_down(), webhook_down(), quota_refused(text)
  login_page(html)           every request gets 200 text/html, as from a proxy that wants a log-in, or the UI's address
  expire_tokens()            tokens issued until now are expired
  saved(), restore(saved)    all that the server holds, and back to it
  change_while_listing(f)    f() runs before the next page that carries a page_token
  token(subject, audience="pipelines.kubeflow.org", lives=3600), grant(user, namespace, "edit"|"view")
  task_log(run_id, node, text), deny_cluster(), want_token(token)
Looks: asked (method, path), runs, recurring, workflows, orphans() (Workflows without a row), spinning (uploads that
never answer), now, world.

Multi-user: identity is the header `kubeflow-userid` or a bearer token of `token()`. Known at first: alice@example.com
(edit in mu-alice), bob@example.com (edit in mu-bob), carol@example.com (view in mu-alice), admin@example.com
(everywhere), the ServiceAccounts system:serviceaccount:mu-alice:default-editor and mu-bob's.

The cluster, for a client with Kubernetes rights, at the same address:
  GET    /apis/argoproj.io/v1alpha1/namespaces/NS/workflows?labelSelector=pipeline/runid=ID
         (limit and continue; metadata alone where Accept asks for a PartialObjectMetadataList)
  GET, DELETE /apis/argoproj.io/v1alpha1/namespaces/NS/workflows/NAME   (delete takes preconditions.uid: 409)
  …/apis/pipelines.kubeflow.org/v2beta1/namespaces/NS/{pipelines,pipelineversions}[/NAME]   (mode k8s-native; the
         system's namespace: GET, POST, PATCH (apply or merge), DELETE, dryRun=All, with the webhook's rules)
A Workflow has the label `pipeline/runid` and the annotation `pipelines.kubeflow.org/run_name`, as recorded.

No recording has these; they are as the server's source has them: when a schedule ticks (see ticks.py: one that is
switched on late starts its latest missed tick at once), and the log route, GET /apis/v1alpha1/runs/RUN/nodes/POD/log.
Assumed altogether: that this route answers text/plain, and 500 where the pod has no log.
"""

from tests.fakes.kfp.server import FakeKfp

__all__ = ["FakeKfp"]
