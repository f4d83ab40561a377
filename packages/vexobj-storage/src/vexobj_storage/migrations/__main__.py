"""Draft a revision from what metadata/tables.py has and the revisions have not."""

import argparse
from pathlib import Path

from alembic import command
from alembic.config import Config


def main() -> None:
    parser = argparse.ArgumentParser(prog="vexobj_storage.migrations", description=__doc__)
    parser.add_argument("message", help="what the revision does, in a few words")
    message = parser.parse_args().message
    here = Path(__file__).parent
    config = Config()
    config.set_main_option("script_location", str(here))
    number = len(list((here / "versions").glob("[0-9]*.py"))) + 1
    command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    main()
