"""Reading a lexical index where nothing may be written: tantivy makes a lock file even to open one."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path


class ShadowFolder:
    """A temporary folder of links to the files of another one; removed with this object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self.path = Path(tempfile.mkdtemp(prefix="wenda-lexical-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)
        self.follow()

    def follow(self) -> None:
        """Link what is new, and drop the links to what is gone."""
        here = {path.name for path in self._folder.iterdir() if not path.name.endswith(".lock")}
        linked = {path.name for path in self.path.iterdir() if path.is_symlink()}
        for name in here - linked:
            (self.path / name).symlink_to(self._folder / name)
        for name in linked - here:
            (self.path / name).unlink()

    def close(self) -> None:
        """Remove the links."""
        self._remove()


def needs_shadow(folder: Path) -> bool:
    """Whether the folder, or the disk it is on, may only be read."""
    return folder.is_dir() and not os.access(folder, os.W_OK)
