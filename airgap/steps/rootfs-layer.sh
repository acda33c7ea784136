#!/usr/bin/env bash
# Called by mmdebstrap with the root it is making:
#   rootfs-layer.sh ROOT LAYER.tar with-dependencies PACKAGE... [alone PACKAGE...]
# Packs the files of packages that ROOT does not have, unpacked and not installed, into a
# layer to lie on top of ROOT. Programs that need no set-up of their own only.
set -euo pipefail
root=$1 layer=$2
shift 2

work=$(mktemp -d -p "$(dirname "$layer")")
trap 'rm -rf "$work"' EXIT
mkdir "$work/debs" "$work/tree"
export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG

how="" with=() alone=()
for word in "$@"; do
  case $word in
    with-dependencies | alone) how=$word ;;
    *) if [[ $how == alone ]]; then alone+=("$word"); else with+=("$word"); fi ;;
  esac
done
apt-get -qq -o APT::Sandbox::User=root -o Dir::Cache::archives="$work/debs" --download-only --yes install "${with[@]}"
if ((${#alone[@]})); then
  (cd "$work/debs" && apt-get -qq -o APT::Sandbox::User=root download "${alone[@]}")
fi

# Debian's /bin, /lib and so on are links into /usr, but packages still name files by them: without the links
# in the tree, the layer would put folders over them and hide the root's own files.
for link in bin sbin lib lib32 lib64 libx32; do
  [[ ! -L $root/$link ]] || cp -a "$root/$link" "$work/tree/"
done
mkdir -p "$work/tree/usr/"{bin,sbin,lib,lib64}
for deb in "$work"/debs/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" |
    tar -x -C "$work/tree" --keep-directory-symlink --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'
done
tar -c -C "$work/tree" --sort=name --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime -f "$layer" .
