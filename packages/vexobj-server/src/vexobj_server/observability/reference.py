"""The reference page of the metrics, made from their table."""

from vexobj_server.observability.families import FAMILIES, Family, FamilyKind

_INTRODUCTION = """\
# Metrics

`GET /metrics` answers in Prometheus's text format 0.0.4, or as OpenMetrics to who accepts it. The
numbers are those of the whole server, whichever worker answers: counters of processes that ended
stay in the sum. With `metrics.token` set it wants `Authorization: Bearer <token>`; without it,
names and sizes of buckets are for everybody who reaches the server.

```yaml
scrape_configs:
  - job_name: vexobj
    static_configs:
      - targets: ["files.example.com:8000"]
    authorization:
      credentials: the value of metrics.token
```

A dashboard and alerts that use these metrics are in `deploy/grafana`. Roles of processes are
`parent`, `worker`, `broker` and `decoder`; the decoders are told together, with the pid `all`. A
request to S3 that is refused before it is known what it asks counts as operation `refused`.
"""
_HEADING = "| Name | Kind | Labels | Meaning |\n|---|---|---|---|"


def metrics_reference() -> str:
    """Markdown, ending with a newline."""
    rows = "\n".join(_row(family) for family in FAMILIES.values())
    return f"{_INTRODUCTION}\n{_HEADING}\n{rows}\n"


def _row(family: Family) -> str:
    labels = ", ".join(f"`{name}`" for name in family.labels)
    meaning = family.meaning
    if family.kind is FamilyKind.HISTOGRAM:
        bounds = ", ".join(f"{bound:g}" for bound in family.buckets)
        meaning += f" Buckets: {bounds}."
    return f"| `{family.name}` | {family.kind.value} | {labels} | {meaning} |"
