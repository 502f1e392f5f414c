import pytest

# What helpers assert is explained as well as what tests assert.
pytest.register_assert_rewrite("tests.database", "tests.live", "tests.notifications")
