# shellcheck shell=bash
# For the scripts beside it that start a machine, in the project's folder: after `prepare ARCHITECTURE`, as root on Debian, there
# are QEMU, the guest in the folder $guest, and the packages in the folder $packages: those in EYELID_PACKAGES, else of
# tests/packages/build.sh. Ends the script with code 77 where that can't be.
skip() {
    echo "skipped: $*"
    exit 77
}

prepare() {
    local arch=$1 package wanted=(mmdebstrap e2fsprogs qemu-utils)
    [ "$(uname -m)" = x86_64 ] || skip 'the programs are made on x86-64'
    command -v dpkg > /dev/null || skip "the guest is made with Debian's tools"
    case $arch in
        amd64) wanted+=(qemu-system-x86 seabios) guest=guest ;;
        arm64) wanted+=(qemu-system-arm qemu-user-static binfmt-support arch-test) guest=guest-arm64 ;;
    esac
    for package in "${wanted[@]}"; do
        dpkg -s "$package" > /dev/null 2>&1 && continue
        echo "installing $package"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" > /dev/null ||
            skip "$package can't be installed"
    done
    packages=${EYELID_PACKAGES:-$PWD/target/package/$arch}
    ls "$packages"/eyelid_*_"$arch".deb > /dev/null || { echo "prepare.sh: no packages in $packages" >&2; exit 1; }
    guest=${XDG_CACHE_HOME:-$HOME/.cache}/eyelid/$guest
    # The mirror may just be out of reach, which is no fault of what is tested.
    tests/qemu/guest.sh "$guest" "$arch" || tests/qemu/guest.sh "$guest" "$arch" || skip "the guest can't be made; see above"
}
