"""A whole cluster on one machine: each host is a network namespace, and each of its programs can be harmed on purpose."""
