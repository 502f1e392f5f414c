#!/bin/bash
# PID 1 of an unpacked engine's namespaces. $1: its root; $2: build or run; $3: the folder that becomes /shared.
set -euo pipefail
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
# The cgroup namespace makes this process's cgroup the root of every hierarchy, so no container can leave it.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    # In version 2, a group that passes controllers on must not have processes.
    mkdir -p "$root/sys/fs/cgroup/engine"
    while read -r pid; do echo "$pid" >"$root/sys/fs/cgroup/engine/cgroup.procs" || true; done <"$root/sys/fs/cgroup/cgroup.procs"
    sed 's/^/+/; s/ / +/g' "$root/sys/fs/cgroup/cgroup.controllers" >"$root/sys/fs/cgroup/cgroup.subtree_control"
else
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
        mkdir "$root/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" cgroup "$root/sys/fs/cgroup/$controller"
    done
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
fi
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/shared" "$root/old"
mount --bind "$3" "$root/shared"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cd "$root"
pivot_root . old
cd /
umount -l /old
rm -rf /run/docker* /run/containerd*
if [ "$2" = run ]; then
    ip link set lo up
    exec dockerd --storage-driver overlay2
fi
# On the machine's network: no bridge, no rules, and no networks of an earlier run, for which the engine would create
# them. Images, build cache and volumes are kept.
rm -rf /var/lib/docker/network /var/lib/docker/containers
exec dockerd --storage-driver overlay2 --bridge=none --iptables=false --ip6tables=false --ip-forward=false
