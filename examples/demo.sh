#!/bin/sh
# The main job on the embedded sandboxes: plan, apply, and plan again. Needs `provision` on the PATH.
# Works in the folder given as its argument (.demo by default), which it makes anew each time.
set -eu
folder=${1:-.demo}

run() {
    printf '\n$ provision'
    printf ' %s' "$@"
    printf '\n'
    provision "$@"
}

if [ -e "$folder" ] && [ ! -d "$folder/.provision/sandbox" ] ; then
    echo "$folder is no demo of ours: name another folder" >&2
    exit 1
fi
rm -rf "$folder"

run init "$folder" --name demo --from quickstart
run -C "$folder" plan --out first-plan.json
run -C "$folder" apply first-plan.json
run -C "$folder" status
run -C "$folder" plan

# Where it is not on everybody's PATH, the next step is told so that it can be copied.
program=$(command -v provision)
case $program in
    "$PWD"/*) program=${program#"$PWD"/} ;;
    *) program=provision ;;
esac

cat <<END

That was the main job. Next: change a description in $folder/credentials/example.yaml, then

  $program -C $folder plan
  $program -C $folder apply
END
