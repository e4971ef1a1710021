"""The commands `pack` and `classroom`, for a class without the internet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from workshop.classroom import accounts, archive, room
from workshop.classroom.file_store import FileStore
from workshop.classroom.pack import SITE, Options, Packer
from workshop.classroom.progress_bar import show_bytes
from workshop.core.paths import ROOT, cache_folder
from workshop.core.progress import ProgressDisplay, print_plain
from workshop.core.sizes import format_bytes
from workshop.machine.base_images import package_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workshop.classroom.manifest import Manifest
    from workshop.commands.setup import Setup
    from workshop.core.process import SubprocessRunner


@dataclass(frozen=True)
class PackOptions:
    """The options of `workshop pack`; without `architectures`, those of this machine's images."""

    out: Path
    architectures: tuple[str, ...]
    systems: tuple[str, ...]
    services: tuple[str, ...]
    dry_run: bool


def pack(options: PackOptions, setup: Setup, build_site: Callable[[dict[str, str]], str]) -> None:
    """Make a pack, after printing its size.

    `build_site` builds the site into site/, with an environment, and returns a warning.
    """
    console = setup.console
    with ProgressDisplay(console) as display:
        setup.provide(display)
        store = FileStore(cache_folder() / "packs")
        index = package_index(setup.run)
        packer = Packer(setup.engine, setup.run, store, display, ROOT, index=index)
        native = setup.engine.inspect(setup.pins.base[-1].image, "{{.Architecture}}")
        wanted = Options(options.architectures or (native,), options.systems, options.services)
        plan = packer.plan(setup.pins, wanted)
        packages = sum(file.size for file in plan.downloads)
        display.print(
            f"{len(plan.downloads)} packages of {format_bytes(packages)}, and {len(plan.images)} "
            f"base images: {format_bytes(plan.size)} at most, before images are compressed"
        )
        packer.check_disk(plan, options.out)
        if options.dry_run:
            return
        with display.job("site", "building"):
            warning = build_site({"SOURCE_DATE_EPOCH": str(plan.seconds)})
        if warning:
            display.print(warning)
        manifest, sources = packer.collect(plan, ROOT / SITE)
        seal = packer.write(manifest, sources, options.out)
    size = format_bytes(options.out.stat().st_size)
    print_plain(console, f"{options.out}: {size} in {len(manifest.files)} files, sha256 {seal}")


def check(path: Path) -> Manifest:
    """Verify a pack, and print what it holds."""
    console = Console()
    with ProgressDisplay(console) as display, display.job(path.name, "verifying") as job:
        total = archive.read_manifest(path).size
        manifest = archive.check(path, show_bytes(job, total))
    names = ", ".join(manifest.architectures)
    kinds = f"{len(manifest.images)} images for {names}, {len(manifest.files)} files"
    print_plain(console, f"{path}: every byte is right: {kinds}, {format_bytes(manifest.size)}")
    return manifest


def serve(  # noqa: PLR0913, PLR0917 - the options of the command
    pack: Path,
    folder: Path,
    host: str,
    port: int,
    learners: Path | None,
    run: SubprocessRunner,
) -> None:
    """Serve a pack until the user presses Ctrl-C."""
    console = Console()
    names = tuple(accounts.read_learners(learners))
    wanted = room.Room(pack.absolute(), folder.absolute(), host, port, names)
    with ProgressDisplay(console) as display, room.serve(wanted, run, display) as servers:
        display.print(f"The classroom is at {wanted.url}/ (press Ctrl-C to stop it)")
        display.print(f"Passwords of the learners, for pushing: {folder / accounts.PASSWORDS}")
        if host in {"127.0.0.1", "localhost", "::1"}:
            display.print("Only this computer can reach it: --host ADDRESS opens it to a class")
        servers.wait()
