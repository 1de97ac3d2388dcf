"""The contract is no test module by its name, but its assertions are to explain themselves too."""

import pytest

pytest.register_assert_rewrite("unit.stores.contract")
