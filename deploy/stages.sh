# Sourced by the scripts beside it: named stages that show their progress and say which one failed.
# shellcheck shell=bash

top="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
stage_name="starting"
stage_began="${SECONDS}"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

stage() {
    stage_name="$1"
    stage_began="${SECONDS}"
    say "${stage_name}"
}

stage_done() { printf '   %s: %d s\n' "${stage_name}" "$((SECONDS - stage_began))"; }

on_failure() {
    local status="$?"
    if [[ "${status}" -ne 0 ]]; then
        printf '\n%s: failed at "%s" (status %d)\n' "$(basename "$0")" "${stage_name}" "${status}" >&2
    fi
}

# Runs a command as root: as it is for root, else through sudo.
as_root() {
    if [[ "$(id -u)" -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        printf 'This needs root, and there is no sudo. As root, run: %s\n' "$*" >&2
        return 1
    fi
}

# install_missing KIND...: the packages of deploy/packages.txt that are not there yet; KIND `build` or `test`.
install_missing() {
    local kind line package
    local -a wanted=() missing=()
    for kind in "$@"; do
        while read -r line; do
            case "${line}" in
                '#'* | '') ;;
                'test: '*) [[ "${kind}" == test ]] && wanted+=("${line#test: }") ;;
                *) [[ "${kind}" == build ]] && wanted+=("${line}") ;;
            esac
        done <"${top}/deploy/packages.txt"
    done
    # Node.js may have come from elsewhere than Debian; what counts is that it runs.
    if ! node --version >/dev/null 2>&1 || ! npm --version >/dev/null 2>&1; then
        wanted+=(nodejs npm)
    fi
    for package in "${wanted[@]}"; do
        if [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "${package}" 2>/dev/null)" != installed ]]; then
            missing+=("${package}")
        fi
    done
    if [[ "${#missing[@]}" -eq 0 ]]; then
        return 0
    fi
    printf 'Installing %s\n' "${missing[*]}"
    as_root apt-get update --quiet=2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}"
}
