"""`python3 airgap/kit VERB`: runs the kit as the package `kit`, from any folder."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts the package's own folder first on the path, where its modules would shadow the library's (`site`).
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from kit.cli import main

    sys.exit(main(sys.argv[1:]))
