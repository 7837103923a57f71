#!/usr/bin/env bash
# Runs a command under settings that change the order of floating-point sums, and of sets, as other machines do:
#     conditions.sh COMMAND...
# oneDNN's kernels on and off, one thread and two, the instruction sets of older processors, hash seeds.
set -euo pipefail

run() {
    echo "== $1"
    env ${1} "${@:2}"
}

run "TF_ENABLE_ONEDNN_OPTS=0 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 PYTHONHASHSEED=1" "$@"
run "TF_ENABLE_ONEDNN_OPTS=1 TF_NUM_INTRAOP_THREADS=2 TF_NUM_INTEROP_THREADS=2 PYTHONHASHSEED=2 ONEDNN_MAX_CPU_ISA=SSE41" "$@"
