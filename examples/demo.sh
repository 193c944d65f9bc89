#!/bin/sh
# Five vendors on the embedded sandboxes, from nothing to "No changes". Needs `provision` on the PATH.
# Works in the folder given as its argument (.demo by default), which it makes anew each time.
set -eu
folder=${1:-.demo}

# Run provision, and stop where it ends otherwise than with the exit code that is given first.
# Without a terminal as its input, apply asks nobody: what people have to do waits.
ends_with() {
    expected=$1
    shift
    printf '\n$ provision'
    printf ' %s' "$@"
    printf '\n'
    code=0
    provision "$@" </dev/null || code=$?
    [ "$code" -eq "$expected" ] || exit "$((code ? code : 1))"
}

# Tell what comes next, and why.
tell() {
    printf '\n# %s\n' "$@"
}

mark=$folder/.provision/demo
if [ -e "$folder" ] && [ ! -e "$mark" ]; then
    echo "$folder is no demo of ours: name another folder" >&2
    exit 1
fi
rm -rf "$folder"
# Marked before anything else, so that a demo that was stopped can be made anew, and nobody's project is removed.
mkdir -p "$folder/.provision"
: >"$mark"

tell "Ten credentials at five vendors, in test and production."
ends_with 0 init "$folder" --name demo --from all-vendors
ends_with 0 -C "$folder" plan --out first-plan.json

tell "Apply does what it can. What waits for people makes it exit with 5."
ends_with 5 -C "$folder" apply first-plan.json

tell "People do their part; here the sandbox plays them: at the vendors' consoles, and as PayNet, which approves."
ends_with 0 -C "$folder" handoff list
ends_with 0 -C "$folder" sandbox operate
ends_with 0 -C "$folder" sandbox approve production/merchant-rpp

tell "The next apply goes on where the first had to stop."
ends_with 0 -C "$folder" apply --auto-approve
ends_with 0 -C "$folder" status
ends_with 0 -C "$folder" plan --detailed-exitcode

# Where it is not on everybody's PATH, the next step is told so that it can be copied.
program=$(command -v provision)
case $program in
    "$PWD"/*) program=${program#"$PWD"/} ;;
    *) program=provision ;;
esac

cat <<END

That was the main job. Next: change a description in $folder/credentials/people.yaml, then

  $program -C $folder plan
  $program -C $folder apply
END
