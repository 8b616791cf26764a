#!/bin/bash
# Passes on what cargo test prints, and adds a line with the sums. $1 is what was tested.
exec awk -v what="$1" '
    { print; fflush() }
    /^test result: / { passed += $4; failed += $6 }
    END { printf "%s: %d passed, %d failed\n", what, passed, failed; exit failed > 0 || passed == 0 }
'
