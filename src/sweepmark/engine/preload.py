"""What the fork server imports first, so that it ends with the helper process."""

from __future__ import annotations

import gc

from sweepmark.engine.isolation import end_with_parent

end_with_parent()
gc.disable()  # imported objects live until the end; workers enable it again
