"""The tests of the tests: deliberate breakages of the real source, each of which a test must catch."""
