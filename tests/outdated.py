"""Loaded into a Dask worker (``--preload``): it has loaded other code than lies there now."""

from flows import cluster


def dask_setup(worker: object) -> None:
    """Have the worker say so, as one does that was not started again after an update."""
    told = cluster.told_of_here() | {"code": "0ld"}
    cluster.told_of_here = lambda: told
