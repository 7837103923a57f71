#!/usr/bin/env bash
# Builds the wheel and uses it away from the checkout, in a folder with packages of the same names:
#     test_wheel.sh PYTHON, which has the dependencies
set -euo pipefail
python=$(realpath --no-symlinks "$1")
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

mkdir "$scratch/source" "$scratch/elsewhere"
cp -r pyproject.toml README.md LICENSE graph_ops export serving_configs "$scratch/source"
cp -r clients/python "$scratch/client"
find "$scratch/source" -name __pycache__ -prune -exec rm -r {} +
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$scratch" "$scratch/source"
"$python" -m pip install --quiet --no-deps --target "$scratch/site" "$scratch"/*.whl

for package in graph_ops export serving_configs; do
    diff -r --exclude __pycache__ "$scratch/source/$package" "$scratch/site/$package"
done
echo "the wheel holds every file of the packages"

"$python" -m pip install --quiet --no-deps --target "$scratch/client-site" "$scratch/client"
diff -r --exclude __pycache__ "$scratch/client/gemma4_client" "$scratch/client-site/gemma4_client"
(cd "$scratch" && PYTHONPATH="$scratch/client-site" "$python" -c 'import gemma4_client, sys; sys.exit("numpy" in sys.modules)')
echo "the client's wheel holds every file of its package"

export PYTHONPATH="$scratch/site" PYTHONDONTWRITEBYTECODE=1
gemma4_graph="$scratch/site/bin/gemma4-graph"
cd "$scratch/elsewhere"
mkdir export graph_ops
echo 'raise SystemExit("the wrong package")' | tee export/__init__.py > graph_ops/__init__.py
"$gemma4_graph" saved-model --tokenizer "$scratch/site/graph_ops/demonstration/demonstration.spm" --out exported
"$gemma4_graph" run exported/1 --prompt 'What is this? <|image|>' --image "$scratch/site/export/demonstration/photo.jpg"
