from app.python.children import child_environment


def test_nothing_secret_is_passed_on() -> None:
    """Neither our own token nor what others put into variables; what a program needs is."""
    environ = {
        "GRACE_ADMIN_TOKEN": "secret",
        "PIP_INDEX_URL": "secret",
        "NODE_OPTIONS": "--require=secret",
        "PATH": "/bin",
        "TMPDIR": "/scratch",
    }
    assert child_environment(environ) == {"PATH": "/bin", "TMPDIR": "/scratch"}
