#!/bin/bash
# guest.sh FOLDER [amd64 | arm64]: makes a Debian 13 guest with a real systemd and cameras of the kernel's own:
# FOLDER/guest.ext4 with its kernel and initrd. As root on Debian; about two minutes, for arm64, where the packages' own
# programs run under qemu-user, about ten. A complete guest is used again.
set -euo pipefail
out=${1:?usage: guest.sh FOLDER [amd64 | arm64]}
arch=${2:-amd64}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
recipe=$(echo "$arch" | cat "$0" "$here/../libcamera/virtual.yaml" - | sha256sum | cut -d ' ' -f 1)
if [ "$(cat "$out/complete" 2> /dev/null)" = "$recipe" ]; then
    echo "guest.sh: $out is complete"
    exit 0
fi
rm -rf "$out/complete" "$out/root" "$out/guest.ext4"

# The mirror that this machine uses, from either style of apt's sources.
mirror=$({ cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2> /dev/null || true; } |
    awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }')
[ -n "$mirror" ] || { echo "guest.sh: no Debian mirror found in /etc/apt" >&2; exit 1; }

# A small initrd is quick to unpack under emulation; libcamera's virtual camera needs the one of backports.
cat > "$out/setup.sh" << 'S'
#!/bin/sh
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d" "$1/etc/apt/preferences.d"
printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\nBUSYBOX=n\nFSTYPE=ext4\nRESUME=none\n' \
    > "$1/etc/initramfs-tools/conf.d/guest"
printf 'virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n' > "$1/usr/share/initramfs-tools/modules.d/guest"
printf 'Package: *libcamera*\nPin: release n=trixie-backports\nPin-Priority: 900\n' \
    > "$1/etc/apt/preferences.d/libcamera"
S
chmod +x "$out/setup.sh"
# vivid makes no JPEGs; v4l2loopback hands on what a program writes, JPEGs too. Debian has it as source only. gpio-sim is the
# kernel's own GPIO chip without hardware, which Debian's kernel leaves out, as its interrupts. Without one of them the tests
# with it are left out; so they are on arm64, where a compiler under qemu-user would take half an hour for them.
cat > "$out/modules.sh" << 'S'
#!/bin/sh
set -e
kernel=$(ls "$1/lib/modules")
chroot "$1" apt-get install -y -qq --no-install-recommends linux-headers-amd64 make xz-utils
build() { # build FOLDER
    chroot "$1" make -s -C "/lib/modules/$kernel/build" "M=/$2" modules
}
loopback() {
    chroot "$1" sh -c 'cd /tmp && apt-get download -qq v4l2loopback-dkms && dpkg -x v4l2loopback-dkms_*.deb loopback' &&
        source=$(cd "$1" && echo tmp/loopback/usr/src/v4l2loopback-*) &&
        build "$1" "$source" &&
        install -D -m 644 "$1/$source/v4l2loopback.ko" "$1/lib/modules/$kernel/extra/v4l2loopback.ko"
}
gpio() {
    name=linux-source-$(echo "$kernel" | cut -d . -f 1,2)
    mkdir "$1/tmp/gpio" &&
        chroot "$1" sh -ec "cd /tmp && apt-get download -qq $name && dpkg -x $name\_*.deb source
            tar -C gpio -xJf source/usr/src/$name.tar.xz --strip-components=3 --occurrence \\
                $name/drivers/gpio/gpio-sim.c $name/kernel/irq/irq_sim.c" &&
        # Modules have another way to say the same.
        sed -i 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/' "$1/tmp/gpio/irq_sim.c" &&
        printf 'obj-m := gpio-simulated.o\ngpio-simulated-y := gpio-sim.o irq_sim.o\n' > "$1/tmp/gpio/Makefile" &&
        build "$1" tmp/gpio &&
        install -D -m 644 "$1/tmp/gpio/gpio-simulated.ko" "$1/lib/modules/$kernel/extra/gpio-simulated.ko"
}
loopback "$1" || echo 'guest.sh: no v4l2loopback in this guest'
gpio "$1" || echo 'guest.sh: no gpio-sim in this guest'
chroot "$1" depmod "$kernel"
chroot "$1" apt-get purge -y -qq --auto-remove linux-headers-amd64 make
rm -rf "$1"/tmp/*
S
cat > "$out/customize.sh" << S
#!/bin/sh
[ $arch != amd64 ] || "$out/modules.sh" "\$1" || echo 'guest.sh: no modules of our own in this guest'
S
chmod +x "$out/modules.sh" "$out/customize.sh"
# Debian's cloud kernels have neither media drivers nor dma_heap.
packages=systemd,systemd-sysv,udev,dbus,kmod,initramfs-tools,zstd,procps,curl,jq,libcamera-ipa,python3-minimal
packages=$packages,v4l-utils,linux-image-$arch
mmdebstrap --mode=root --variant=apt --arch="$arch" --quiet \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --setup-hook="$out/setup.sh \"\$1\"" --customize-hook="$out/customize.sh \"\$1\"" --include="$packages" \
    trixie "$out/root" "deb $mirror trixie main" "deb $mirror trixie-backports main"

root=$out/root
echo guest > "$root/etc/hostname"
echo '127.0.0.1 localhost guest' > "$root/etc/hosts"
echo '/dev/vda / ext4 defaults,noatime 0 0' > "$root/etc/fstab"
echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id" # no first-boot work
mkdir -p "$root/test" "$root/usr/share/libcamera/pipeline/virtual"
cp "$here/../libcamera/virtual.yaml" "$root/usr/share/libcamera/pipeline/virtual/"

# Runs /test/run.sh of the shared folder once the system is up, keeps what it says, and powers off.
cat > "$root/usr/local/sbin/guest-test" << 'S'
#!/bin/bash
modprobe 9pnet_virtio
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 test /test || { systemctl --no-block poweroff; exit 1; }
systemctl is-system-running --wait > /dev/null 2>&1
cd /test && bash ./run.sh > /test/output 2>&1
echo $? > /test/code
sync
systemctl --no-block poweroff
S
chmod 755 "$root/usr/local/sbin/guest-test"
cat > "$root/etc/systemd/system/guest-test.service" << 'S'
[Unit]
After=multi-user.target
[Service]
Type=exec
ExecStart=/usr/local/sbin/guest-test
S
mkdir -p "$root/etc/systemd/system/graphical.target.wants"
ln -sf ../guest-test.service "$root/etc/systemd/system/graphical.target.wants/guest-test.service"
ln -sf /usr/lib/systemd/system/graphical.target "$root/etc/systemd/system/default.target"
# The network that QEMU gives it.
printf '[Match]\nName=en*\n[Network]\nAddress=10.0.2.15/24\nGateway=10.0.2.2\nLinkLocalAddressing=no\n' \
    > "$root/etc/systemd/network/guest.network"
ln -sf /usr/lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer \
    e2scrub_reap.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
cp "$root"/boot/initrd.img-* "$out/initrd"
rm -rf "$root"/var/lib/apt/lists/*_Packages* "$root"/var/cache/apt/archives/*.deb
truncate -s 3G "$out/guest.ext4"
mke2fs -q -t ext4 -E lazy_itable_init=1,root_owner=0:0 -d "$root" "$out/guest.ext4"
rm -rf "$root"
echo "$recipe" > "$out/complete"
echo "guest.sh: $out is ready"
