"""The stager: which scene a session is in, and which comes next.

Pure: it holds the study and nothing of any session. A session's position is a `StagerState`, which
its service stores with the session and gives back when the participant returns.
"""

from dataclasses import dataclass, replace

from app.errors import StudyError
from app.studies.models import Game, Scene, Study


@dataclass(frozen=True, slots=True)
class StagerState:
    """A session's position in its study.

    Attributes:
        scene_id: the current scene.
        done: the current scene was played to its end; it is not played again.
    """

    scene_id: str
    done: bool = False


class Stager:
    """Leads sessions through one study, from the first scene to the last."""

    def __init__(self, study: Study) -> None:
        """Lead through `study`."""
        self._study = study
        self._position = {scene.scene_id: index for index, scene in enumerate(study.scenes)}

    def start(self) -> StagerState:
        """Return the position of a new session: the first scene."""
        return StagerState(self._study.scenes[0].scene_id)

    def knows(self, state: StagerState) -> bool:
        """Whether the study has that scene: it may have been changed while the state was kept."""
        return state.scene_id in self._position

    def scene(self, state: StagerState) -> Scene:
        """Return the current scene.

        Raises StudyError when the study has no such scene, which happens when the study was changed
        while the session's state was kept.
        """
        return self._study.scenes[self._index(state)]

    def advance(
        self, state: StagerState, leaving: str, *, leave_unplayed: bool = False
    ) -> StagerState:
        """Return the position after the scene `leaving` has been left.

        Idempotent: the state comes back unchanged when `leaving` is not the current scene (it was
        left before), when it is the last one, and when it is a game that has not been played,
        unless `leave_unplayed` allows that. Raises StudyError like `scene`.
        """
        index = self._index(state)
        if leaving != state.scene_id or index + 1 == len(self._study.scenes):
            return state
        unplayed = isinstance(self._study.scenes[index], Game) and not state.done
        if unplayed and not leave_unplayed:
            return state
        return StagerState(self._study.scenes[index + 1].scene_id)

    def complete(self, state: StagerState) -> StagerState:
        """Return the same position with its scene done. Raises StudyError like `scene`."""
        self._index(state)
        return replace(state, done=True)

    def _index(self, state: StagerState) -> int:
        try:
            return self._position[state.scene_id]
        except KeyError:
            raise StudyError(
                f"Study {self._study.study_id!r} has no scene {state.scene_id!r} (any more)."
            ) from None
