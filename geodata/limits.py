"""How much a file from outside may ask of its reader; every limit is a setting of its source."""

from pydantic import BaseModel, ConfigDict, PositiveInt

from geodata.errors import SourceError

MEGABYTE = 1_000_000


class Limits(BaseModel):
    """What one source may hold and cost, from ``[limits]`` in its ``source.toml``.

    ``bytes`` counts one file as it lies, ``unpacked_bytes`` all that an archive or a compressed
    file holds, ``ratio`` how many times larger than its packed form an entry may be. ``cells``
    is rows × columns of a sheet up to its last cell. ``memory_mb`` and ``seconds`` bound the
    process that reads it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: PositiveInt = 500 * MEGABYTE
    unpacked_bytes: PositiveInt = 1_000 * MEGABYTE
    ratio: PositiveInt = 200
    entries: PositiveInt = 1_000
    rows: PositiveInt = 2_000_000
    columns: PositiveInt = 500
    cells: PositiveInt = 50_000_000
    vertices: PositiveInt = 20_000_000
    memory_mb: PositiveInt = 2_000
    seconds: PositiveInt = 120

    def hold(self, source_id: str, limit: str, found: int, what: str) -> None:
        """Raise SourceError where ``what`` has more of something than its limit allows."""
        allowed = int(getattr(self, limit))
        if found > allowed:
            raise SourceError(
                source_id,
                "file_is_within_limits",
                f"{what} has {found} {limit}, more than {allowed}; "
                f"where that is right, raise {limit} under [limits] in its source.toml",
            )
