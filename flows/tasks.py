"""The steps as Prefect's tasks; below them nothing knows Prefect.

Prefect's cache is off: checksums decide what is fresh.
"""

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import inbox, intake, judge, steps

step = task(cache_policy=NO_CACHE, persist_result=False)

collect = step(intake.collect)
take = step(inbox.take)
check = step(intake.check)
resolve_claims = step(steps.resolve_claims)
join = step(steps.join)
measure = step(steps.measure)
compare = step(judge.compare)
draw = step(steps.draw)
verify = step(steps.verify)
publish = step(steps.publish)
