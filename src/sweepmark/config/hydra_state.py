"""Hydra's global state, kept as it was found: the same process may use Hydra for itself."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["own_hydra"]

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def own_hydra(main: str, groups: Collection[str]) -> Iterator[None]:
    """Initialise Hydra on a folder, beside one that may be initialised already.

    Hydra keeps its instance, its version base and the config store in globals. Here they are ours,
    afterwards those of the caller again; other threads wait meanwhile.

    Parameters
    ----------
    main : str
        The absolute path of the folder with ``config.yaml``.
    groups : collection of str
        The groups whose options are stored in the config store meanwhile.
    """
    from hydra import initialize_config_dir
    from hydra.core.config_store import ConfigStore
    from hydra.core.global_hydra import GlobalHydra
    from hydra.version import VersionBase

    with _ONE_AT_A_TIME:
        instance, version = GlobalHydra.instance(), VersionBase.instance()
        repo = ConfigStore.instance().repo
        hydra, base = instance.hydra, version.getbase()
        stored = {group: repo.pop(group) for group in groups if group in repo}
        instance.clear()
        try:
            with initialize_config_dir(main, version_base="1.3"):
                yield
        finally:
            for group in groups:
                repo.pop(group, None)
            repo.update(stored)
            instance.hydra = hydra
            GlobalHydra.set_instance(instance)  # Hydra puts a copy in its place
            version.version_base = base
