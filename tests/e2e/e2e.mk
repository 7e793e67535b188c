# The whole path in real browsers on real desktops. Each file of tests starts the desktop that it needs.
.PHONY: e2e
e2e: programs extension ## Run the end-to-end tests in Firefox and Chromium
	node --test --test-concurrency=1 $(if $(E2E),$(E2E:%=tests/e2e/%.test.js),$(sort $(wildcard tests/e2e/*.test.js)))
