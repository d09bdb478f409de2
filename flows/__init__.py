"""When the atlas runs: thin Prefect tasks, the flow and the command line."""
