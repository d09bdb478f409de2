"""When the atlas runs: thin Prefect tasks, the flow and the command line."""

import os

# Arrow's own pool keeps what was freed, for each of its threads apart: a third of a run's peak at
# 100,000 places. It asks for this when it first takes memory, so before anything loads it.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
