"""What the server costs, beside what others cost on the same machine in the same minute.

Every figure that depends on the machine stands beside a baseline that was measured in turn with it;
only their ratio says anything. `python -m e2e.speed` prints the table and writes it as JSON.
"""
