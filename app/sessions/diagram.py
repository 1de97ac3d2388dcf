"""The state diagrams of the documentation, drawn from the tables.

`python -m app.sessions.diagram` prints them; a unit test fails when ARCHITECTURE.md has others.
"""

from collections.abc import Iterable, Mapping

from app.sessions.machine import MACHINES

Transitions = Mapping[tuple[str, type], Iterable[str]]
"""(state, type of event) -> the states it may lead to."""


def mermaid(name: str, transitions: Transitions, first: str) -> str:
    """A Mermaid state diagram (https://mermaid.js.org/syntax/stateDiagram.html) of one machine.

    Args:
        name: heading of the diagram.
        transitions: the machine's table; what leaves the state as it is, is not drawn.
        first: the state it begins in.
    """
    labels: dict[tuple[str, str], list[str]] = {}
    for (state, event), targets in transitions.items():
        for target in targets or ("[*]",):
            if target != state:
                labels.setdefault((str(state), str(target)), []).append(event.__name__)
    lines = [
        "```mermaid",
        "---",
        f"title: {name}",
        "---",
        "stateDiagram-v2",
        f"    [*] --> {first}",
    ]
    lines += [
        f"    {state} --> {target} : {', '.join(events)}"
        for (state, target), events in labels.items()
    ]
    return "\n".join([*lines, "```"])


def session_diagrams() -> list[str]:
    """The diagrams of link, runtime and place."""
    firsts = {"link": "connected", "runtime": "cold", "place": "lobby"}
    return [
        mermaid(
            machine.name,
            {entry: rule.to for entry, rule in machine.table.items()},
            firsts[machine.name],
        )
        for machine in MACHINES
    ]


if __name__ == "__main__":
    print("\n\n".join(session_diagrams()))
