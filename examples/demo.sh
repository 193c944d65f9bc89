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
run -C "$folder" plan
run -C "$folder" apply --auto-approve
run -C "$folder" status
run -C "$folder" plan

cat <<END

That was the main job. Next: change a description in $folder/credentials/example.yaml, then

  provision -C $folder plan
  provision -C $folder apply
END
