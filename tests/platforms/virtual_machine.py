"""A virtual machine with a fresh Debian, its own kernel, systemd and cgroup v2.

The disk is made from Debian packages, as the kit makes its stand-ins. The machine reaches the
network as a program of this machine would; only SSH leads into it. Without a processor that
virtualises (a virtual machine may have a /dev/kvm all the same), QEMU emulates one, which is twenty
times slower.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness import ROOT, free_ports, run, until

from workshop.core.process import SubprocessRunner
from workshop.machine import apt, base_images

if TYPE_CHECKING:
    from collections.abc import Iterable

DISK_BYTES = 24 * 2**30  # the file has only what is written
MEMORY_MB = 4096
SECONDS_TO_BOOT = 600  # emulated, on a busy machine
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
}
# What an installed Debian has, and a minimal one lacks.
PACKAGES = (
    *("linux-image-cloud-amd64", "systemd-sysv", "udev", "dbus", "dbus-user-session"),
    *("openssh-server", "ca-certificates", "python3", "python3-venv", "python3-pip"),
    *("make", "git", "sudo", "iproute2", "procps", "kmod"),
)
NETWORK = "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n"
# The address that QEMU answers DNS queries at.
RESOLVER = "nameserver 10.0.2.3\n"


def missing() -> str:
    """Return why no virtual machine can run here, or an empty text."""
    if os.geteuid():
        return "making the disk of a virtual machine needs root"
    absent = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    return f"these packages are missing: {' '.join(absent)}" if absent else ""


def is_fast() -> bool:
    """Whether the processor virtualises, so that programs run as fast as here."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and not {"vmx", "svm"}.isdisjoint(flags)


class VirtualMachine:
    """A Debian of a suite, with its files in `folder`. A context manager: it runs until the end."""

    def __init__(self, folder: Path, suite: str, packages: Iterable[str] = ()) -> None:
        self._folder, self._suite = folder, suite
        self._packages = (*PACKAGES, *packages)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._folder.mkdir(parents=True, exist_ok=True)
            stack.callback(self._stop)
            self._make_disk()
            self._start()
            stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def run(
        self, script: str, *, user: str = "root", check: bool = True, timeout: float = 1800
    ) -> str:
        """Return the output of a shell script in the machine."""
        return run(*self._ssh(user), script, check=check, timeout=timeout).stdout

    def load(self, *images: str) -> None:
        """Copy images from the engine of this machine."""
        with subprocess.Popen(("docker", "save", *images), stdout=subprocess.PIPE) as saved:
            subprocess.run((*self._ssh("root"), "docker load"), stdin=saved.stdout, check=True)
        assert saved.returncode == 0

    def copy_checkout(self, target: str, user: str = "root") -> None:
        """Copy the files of this checkout that Git knows."""
        files = subprocess.run(
            ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
            cwd=ROOT, stdout=subprocess.PIPE, check=True,
        ).stdout  # fmt: skip
        packed = subprocess.run(
            ("tar", "--create", "--null", "--files-from=-", "--ignore-failed-read"),
            cwd=ROOT, input=files, stdout=subprocess.PIPE, check=True,
        ).stdout  # fmt: skip
        script = f"mkdir -p {target} && tar --extract --no-same-owner --directory {target}"
        subprocess.run((*self._ssh(user), script), input=packed, check=True, timeout=120)

    def _ssh(self, user: str) -> tuple[str, ...]:
        options = {
            "IdentityFile": self._folder / "key",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "LogLevel": "ERROR",
            "ConnectTimeout": "50",
            "ServerAliveInterval": "30",
        }
        flags = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        return ("ssh", "-F", "/dev/null", *flags, "-p", str(self._port), f"{user}@127.0.0.1")

    def _make_disk(self) -> None:
        root = self._folder / "root"
        key = self._folder / "key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        run(
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(self._packages)}",
            self._suite,
            str(root),
            f"deb {apt.mirror()} {self._suite} main",
            env={"TMPDIR": str(self._folder)},
            timeout=1200,
        )
        self._configure(root)
        for name in ("vmlinuz", "initrd.img"):
            (file,) = (root / "boot").glob(f"{name}-*")
            shutil.move(file, self._folder / name)
        disk = self._folder / "disk"
        with disk.open("wb") as file:
            file.truncate(DISK_BYTES)
        run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(disk), timeout=600)
        shutil.rmtree(root)

    def _configure(self, root: Path) -> None:
        """Give the system a name, a network, this machine's certificates, and two users."""
        index = base_images.package_index(SubprocessRunner())
        certificates = os.environ.get("SSL_CERT_FILE") or str(base_images.CERTIFICATES)
        files = {
            "etc/hostname": "guest\n",
            "etc/hosts": "127.0.0.1 localhost guest\n",
            "etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
            "etc/systemd/network/80-dhcp.network": NETWORK,
            "etc/resolv.conf": RESOLVER,
            "etc/pip.conf": f"[global]\nindex-url = {index}\ncert = {base_images.CERTIFICATES}\n",
        }
        for name, text in files.items():
            (root / name).unlink(missing_ok=True)
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        shutil.copy(certificates, root / str(base_images.CERTIFICATES).lstrip("/"))
        public = (self._folder / "key.pub").read_text(encoding="utf-8")
        run("chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", "learner")
        for home, owner in (("root", 0), ("home/learner", 1000)):
            folder = root / home / ".ssh"
            folder.mkdir(mode=0o700, exist_ok=True)
            (folder / "authorized_keys").write_text(public, encoding="utf-8")
            for path in (folder, folder / "authorized_keys"):
                os.chown(path, owner, owner)
        run("chroot", str(root), "systemctl", "enable", "systemd-networkd", "ssh")

    def _start(self) -> None:
        (self._port,) = free_ports(1)
        folder = self._folder
        argv = [
            *(
                "qemu-system-x86_64",
                "-accel",
                "kvm",
                "-cpu",
                "host,arch-capabilities=off",
                "-smp",
                "2",
            ),
            *("-m", str(MEMORY_MB), "-display", "none", "-nodefaults", "-no-reboot"),
            *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd.img")),
            *("-append", "root=/dev/vda rw console=ttyS0 quiet"),
            *("-serial", f"file:{folder}/console"),
            *("-drive", f"file={folder}/disk,format=raw,if=virtio,cache=unsafe"),
            *("-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{self._port}-:22"),
            *("-object", "rng-random,id=random,filename=/dev/urandom"),
            *("-device", "virtio-rng-pci,rng=random"),
        ]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            until(self._answers, "a shell in the virtual machine", SECONDS_TO_BOOT)
        except AssertionError as error:
            logs = [(folder / name).read_bytes()[-2000:] for name in ("log", "console")]
            text = b"\n".join(logs).decode(errors="replace")
            raise AssertionError(f"{error}\n{text}") from None

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "QEMU has ended"
        return run(*self._ssh("root"), "true", check=False, timeout=60).returncode == 0

    def _stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)
        # It takes gigabytes, and pytest keeps the folders of its last runs.
        shutil.rmtree(self._folder, ignore_errors=True)
