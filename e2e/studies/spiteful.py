"""A study with scripts wherever an experimenter can write: none of them may run."""

from app.studies import Control, End, Game, Study

SCRIPT = '<script>window.stolen = 1</script><img src=x onerror="window.stolen = 1">'

study = Study(
    study_id="spiteful",
    title=f"A title {SCRIPT}",
    scenes=[
        Game(
            scene_id="match",
            title=f"A heading {SCRIPT}",
            markdown=f"A text {SCRIPT}\n\n{SCRIPT}\n\n[a link](javascript:window.stolen=1)",
            environment="spiteful_environment.py",
            controls=[Control(label=f"Left {SCRIPT}", keys=["ArrowLeft"], value=1)],
        ),
        End(scene_id="thanks", title="Thank you", markdown="That was all."),
    ],
)
