#!/usr/bin/env bash
# Create a key, limit its rate, exceed the limit, keep to the limit, and delete the key.
#
#     MONGODB_ATLAS_CLIENT_ID=... MONGODB_ATLAS_CLIENT_SECRET=... ./admin.sh PROJECT
#
# Does the same as admin.py, with the command line. Uses Atlas, or the host in
# MONGODB_ATLAS_BASE_URL, such as an emulator. The key is deleted even if a step fails. The secret is
# in a file that only you can read, never on a command line. Needs jq.
set -euo pipefail

export MONGODB_ATLAS_PROJECT_ID=$1
model=voyage-4 text="Where are the keys?" rpm=2 tpm=1000
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

key=$(voyageai admin keys create "an example" --env-file "$folder/key.env" -q | jq -r .id)
trap 'voyageai admin keys delete "$key" --yes; rm -rf "$folder"' EXIT
echo "created $key"
set -a && . "$folder/key.env" && set +a

group=$(voyageai admin limits list | jq -rs --arg model "$model" \
  '[.[] | select((.models | index($model)) and .geography == "ANY")][0].group')
voyageai admin limits set "$group" --rpm $rpm --tpm $tpm > "$folder/limit.json"

embed() { voyageai embed -qm $model -t query --max-retries 0 "$@" "$text" > "$folder/vectors.jsonl"; }
for number in 1 2 3; do
  if embed 2> "$folder/error"; then
    echo "request $number was answered"
  else
    echo "refused with status $?: $(cat "$folder/error")"
  fi
done

voyageai admin limits reset "$group" --yes > "$folder/reset"
limit=$(voyageai admin limits get "$group" | jq -r '"rpm=\(.rpm),tpm=\(.tpm)"')
embed --rate-limit "$limit"
echo "kept to $limit"

trap 'rm -rf "$folder"' EXIT
voyageai admin keys delete "$key" --yes > "$folder/deleted"
echo "deleted"
embed 2> "$folder/error" || echo "refused with status $?: $(cat "$folder/error")"
