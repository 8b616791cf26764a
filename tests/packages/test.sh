#!/bin/bash
# In a layer above the root folder of run.sh, without systemd running, as in a container: what becomes of the packages,
# and what is left of them. Ends with "N passed, M failed".
set -u
export DEBIAN_FRONTEND=noninteractive
passed=0 failed=0

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" > /tmp/output 2>&1; then
        echo "ok: $name"
        passed=$((passed + 1))
    else
        echo "FAILED: $name"
        tail -n 30 /tmp/output
        failed=$((failed + 1))
    fi
}
not() { ! "$@"; }
apt() { apt-get -y -qq -o Dpkg::Use-Pty=0 "$@" < /dev/null > /tmp/apt 2>&1 || { cat /tmp/apt; return 1; }; }
field() { dpkg-deb -f "$1" "$2"; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1")" = "installed $2" ]; }

cp target/package/amd64/*.deb /tmp
cd /tmp || exit 1
base=$(echo /tmp/eyelid_*_amd64.deb)
libcamera=$(echo /tmp/eyelid-libcamera_*_amd64.deb)
version=$(field "$base" Version)

echo '-- what they are'
lint() { lintian --fail-on error --allow-root "$@" > /tmp/lintian 2>&1; local code=$?; cat /tmp/lintian; return $code; }
check 'lintian finds no error in them' lint "$base" "$libcamera"
cat /tmp/lintian
alone() { field "$base" Depends | grep -Ex 'libc6 \([^,]*\)'; }
check 'eyelid depends on libc alone' alone
check 'eyelid-libcamera depends on eyelid of its version' grep -F "eyelid (= $version)" <(field "$libcamera" Depends)
check 'and on the libcamera that it is linked with' grep -E 'libcamera0\.[0-9]+ \(' <(field "$libcamera" Depends)
echo "   $(field "$base" Depends); $(field "$libcamera" Depends)"
only_root() { not dpkg-deb -c "$1" | awk '$2 != "root/root"' | grep .; }
check 'all belongs to root' only_root "$base"

# A version of before, with another configuration.
mkdir before
dpkg-deb -R "$base" before
sed -i 's/^Version: .*/Version: 0.0.1-1/' before/DEBIAN/control
sed -i 's/^connections = .*/connections = 99/' before/etc/eyelid/config.toml
dpkg-deb -b before before.deb > /dev/null

ours() {
    find / -xdev \( -path /proc -o -path /project -o -path /target -o -path /tmp -o -path /opt/eyelid -o -path /root \) -prune \
        -o -print | grep -vE '^/var/(log|cache/(man|apt|ldconfig))/|^/var/lib/(dpkg|apt)/(info/format|.*-old$|.*lock)' | sort
}
ours > /tmp/at-first

echo '-- install'
check 'apt installs eyelid' apt install "$base"
check 'and says at last where to open it' grep -E 'http://[^ ]+:3000$' <(tail -n 1 /tmp/apt)
echo "   $(tail -n 1 /tmp/apt)"
check 'it runs' eyelid --version
config() { eyelid check --config /etc/eyelid/config.toml; }
check 'its configuration is good' config
check 'and lets the network in' grep -x 'listen = "\[::\]:3000"' /etc/eyelid/config.toml
enabled() { [ -L /etc/systemd/system/multi-user.target.wants/eyelid.service ]; }
check 'the service is enabled' enabled
check 'its unit runs the program' grep -x 'ExecStart=/usr/bin/eyelid run' /usr/lib/systemd/system/eyelid.service
check 'eyelid-libcamera comes beside it' apt install "$libcamera"
check 'and runs' eyelid-libcamera --version
whole() { dpkg --verify eyelid eyelid-libcamera && [ -z "$(dpkg --verify eyelid eyelid-libcamera)" ]; }
check 'all files are there' whole
check 'the script is run twice without harm' sh -c "/var/lib/dpkg/info/eyelid.postinst configure $version &&
    /var/lib/dpkg/info/eyelid.postinst configure $version"

echo '-- what there is to read'
pages() { # a page for each program and subcommand, which no formatter complains about
    local name commands
    commands=$(eyelid --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/eyelid-\1/p' | grep -vx eyelid-help)
    [ "$(echo "$commands" | wc -l)" -ge 6 ] || return
    for name in eyelid eyelid-libcamera $commands; do
        page=/usr/share/man/man1/$name.1.gz
        [ -e "$page" ] || { echo "$name has no page"; return 1; }
        complaints=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null; zcat "$page" | mandoc -T lint -W error)
        [ -z "$complaints" ] || { echo "$name: $complaints"; return 1; }
    done
}
check 'a manual page for each program and subcommand' pages
check 'shown by man' grep -q 'only while somebody looks' <(man -P cat eyelid)
check 'bash completes it' bash -c '. /usr/share/bash-completion/completions/eyelid && complete -p eyelid'
check 'and eyelid-libcamera' bash -c '. /usr/share/bash-completion/completions/eyelid-libcamera && complete -p eyelid-libcamera'
check 'zsh and fish have theirs' ls /usr/share/zsh/vendor-completions/_eyelid /usr/share/fish/vendor_completions.d/eyelid.fish
check 'the copyright file' grep -q '^License: MIT' /usr/share/doc/eyelid/copyright
licences() { zcat /usr/share/doc/eyelid/third-party-licenses.gz | grep -q '^tokio [0-9.]*: MIT'; }
check 'and the licences of the libraries' licences
check 'the configuration is explained' ls /usr/share/doc/eyelid/docs/configuration.md

echo '-- upgrade'
check 'both are purged' apt purge eyelid eyelid-libcamera
check 'a version of before is installed' apt install ./before.deb
check 'and upgraded' apt install "$base"
check 'it is the new one' installed eyelid "$version"
check 'with the new configuration, as nobody has changed the old one' grep -x 'connections = 2048' /etc/eyelid/config.toml
apt purge eyelid && apt install ./before.deb
sed -i 's/^name = .*/name = "door"/' /etc/eyelid/config.toml
rm /etc/systemd/system/multi-user.target.wants/eyelid.service
check 'again, with a changed configuration and the service disabled' apt -o Dpkg::Options::=--force-confold install "$base"
check 'the changed one stays' grep -x 'name = "door"' /etc/eyelid/config.toml
check 'the new one is laid beside it' ls /etc/eyelid/config.toml.dpkg-dist
check 'and the service stays disabled' not enabled
check 'a version is installed over itself without a question' apt install --reinstall "$base"
check 'and back to the one before' apt install --allow-downgrades -o Dpkg::Options::=--force-confold ./before.deb
check 'and forth' apt install -o Dpkg::Options::=--force-confold "$base" "$libcamera"

echo '-- remove'
mkdir -p /var/lib/private/eyelid
echo secret > /var/lib/private/eyelid/access.json
ln -s private/eyelid /var/lib/eyelid
check 'both are removed' apt remove eyelid eyelid-libcamera
check 'the programs have gone' not ls /usr/bin/eyelid /usr/bin/eyelid-libcamera
check 'the configuration stays' grep -x 'name = "door"' /etc/eyelid/config.toml
check 'and the state' ls /var/lib/eyelid/access.json
check 'installed again' apt install "$base"
check 'all is as before' sh -c 'grep -x "name = \"door\"" /etc/eyelid/config.toml && ls /var/lib/eyelid/access.json'
cp /var/lib/dpkg/info/eyelid.postrm /tmp/postrm
touch /etc/eyelid/of-the-owner
check 'purged' apt purge eyelid eyelid-libcamera
check 'and purged once more' sh /tmp/postrm purge
rmdir /var/lib/private # systemd's
ours > /tmp/at-last
check 'nothing is left' diff /tmp/at-first /tmp/at-last

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
