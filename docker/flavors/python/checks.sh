# shellcheck shell=bash
# Sourced by test-container.sh; see scripts/lib/image-parts.sh.

# shellcheck disable=SC2016 # expanded inside the container
checks_python() {
  versions << 'EOF'
python   | python --version   | ^Python 3\.13\.
python3  | python3 --version  | ^Python 3\.13\.
pip      | pip --version      | ^pip 25\..*python 3\.13
pipx     | pipx --version     | ^1\.7\.
poetry   | poetry --version   | version 2\.1\.
pytest   | pytest --version   | ^pytest 8\.
black    | black --version    | ^black, 25\.
flake8   | flake8 --version   | ^7\.
isort    | isort --version    | VERSION 6\.
mypy     | mypy --version     | ^mypy 1\.15\.
ipython  | ipython --version  | ^8\.
gcc      | gcc --version      | 14\.2\.
g++      | g++ --version      | 14\.2\.
EOF
  check_makers_tool uv "${UV_SOURCE:-none}" "${UV_OFFICIAL:-}"
  check_makers_tool ruff "${RUFF_SOURCE:-none}" "${RUFF_OFFICIAL:-}"
  check "a virtual environment is made and used without a network" without_network '
    python -m venv .venv && . .venv/bin/activate && [ "$(python -c "import sys; print(sys.prefix)")" = "$PWD/.venv" ] &&
    pip --version | grep "$PWD/.venv" && pip list'
  check "a module in C is compiled and imported" without_network '
    printf "#include <Python.h>\nstatic PyObject *answer(PyObject *s, PyObject *a) { return PyLong_FromLong(42); }\nstatic PyMethodDef m[] = {{\"answer\", answer, METH_NOARGS, \"\"}, {0}};\nstatic struct PyModuleDef d = {PyModuleDef_HEAD_INIT, \"fast\", 0, -1, m};\nPyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&d); }\n" > fast.c &&
    gcc -shared -fPIC $(python3-config --includes) fast.c -o fast.so && [ "$(python -c "import fast; print(fast.answer())")" = 42 ]'
  check "C++ is compiled and run" without_network '
    printf "#include <iostream>\nint main() { std::cout << 6 * 7; }\n" > a.cc && g++ -O2 a.cc -o a && [ "$(./a)" = 42 ]'
  check "pytest, mypy, black, isort and flake8 judge a project" without_network '
    printf "def answer() -> int:\n    return 6 * 7\n" > app.py && printf "import app\n\n\ndef test_answer():\n    assert app.answer() == 42\n" > test_app.py &&
    pytest --quiet --cov=app && mypy --strict app.py && black --check app.py test_app.py && isort --check . && flake8 *.py &&
    printf "import os\nx: int = \"\"\n" > wrong.py && ! mypy wrong.py && ! flake8 wrong.py'
  check "poetry makes a project and pipx tells where its programs go" without_network '
    poetry init --no-interaction --name app && poetry check && [ "$(pipx environment --value PIPX_BIN_DIR)" = ~/.local/bin ]'
  check "the standard library is compiled" tool_answers 'ls /usr/lib/python3.13/__pycache__/argparse.cpython-313.pyc'
}

# check_makers_tool NAME SOURCE SPEC
check_makers_tool() {
  if [[ $2 == official ]]; then version_is "$1" "$1 --version" "^$1 ${3%% *}"; else check "$1 is left out, as said" lacks "$1"; fi
}

lacks() { ! inside bash -c "command -v $1"; }
