"""Run benchmarks by name, or all: `nox -s bench -- s3_load`."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
_PARTS = {"bare", "figures", "run"}
BENCHMARKS = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in _PARTS)


def main() -> int:
    wanted = sys.argv[1:] or BENCHMARKS
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    env = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent / 'tests'}"}
    return max(
        subprocess.run([sys.executable, HERE / f"{name}.py"], env=env, check=False).returncode
        for name in wanted
    )


if __name__ == "__main__":
    raise SystemExit(main())
