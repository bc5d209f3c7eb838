"""A screen whose styles are worked out anew only where they could differ."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.screen import Screen, ScreenResultType


class StyledScreen(Screen[ScreenResultType]):
    """Textual works out the styles of all widgets each time a screen comes on show. Without that what is already
    painted can stay, which is most of the time that a jump takes."""

    _styled_for: object = None
    """What its styles were worked out for last."""

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Styles depend on the theme and the app's classes; new widgets have them already."""
        looks = (self.app.theme, self.app.pseudo_classes, self.app.classes)
        event.refresh_styles = self._styled_for not in (None, looks)
        self._styled_for = looks

    def _screen_resized(self, size: Size) -> None:
        """A dialog has a size for the first time, at which Textual lays out each screen below it anew."""
        if size != self._size:
            super()._screen_resized(size)
