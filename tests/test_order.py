from pathlib import Path

from click.testing import CliRunner

from flows.cli import main
from flows.order import Order


def test_the_command_says_only_what_is_not_usual():
    told = Order(root=Path("r"), tile_over=50).command()
    assert "--tile-over 50" in told
    assert "--tile-over" not in Order(root=Path("r")).command()


def test_a_limit_below_one_is_no_limit():
    told = CliRunner().invoke(main, ["refresh", "--tile-over", "0"])
    assert told.exit_code == 2
    assert "--tile-over" in told.output
