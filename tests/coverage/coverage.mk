# How much of the source the tests reach, by line and by branch.
.PHONY: coverage coverage-programs
coverage: ## Print the tests' line and branch coverage, a row for each folder (some minutes)
	packaging/install-deps --npm build desktop run check coverage
	tests/coverage/measure
coverage-programs: programs tools unit-programs $(CAPTURE_TESTS) $(FAKE_PRODUCER)
