"""Every refusal of the atlas: what was found, what was needed, and the next move."""

from geodata.findings import Finding


class AtlasError(Exception):
    """The base of all refusals; its text is written for the person at the terminal."""

    exit_code = 3


class UsageError(AtlasError):
    """The command or a setting asks for something that cannot be."""

    exit_code = 2


class SourceError(AtlasError):
    """A source as a whole cannot be stood on."""

    def __init__(self, source_id: str, rule: str, message: str) -> None:
        super().__init__(f"{source_id}: {message}")
        self.source_id = source_id
        self.rule = rule
        self.message = message

    def finding(self, table: str = "", row: int = 0) -> Finding:
        """Return the refusal as a finding about the whole source."""
        return Finding(self.source_id, table, row, "", "", self.rule, "source", self.message)


class PublishRefusedError(AtlasError):
    """The new edition is not sound; the last one stays up."""


class DeliveryError(AtlasError):
    """A publishing target could not be brought to the published edition."""
