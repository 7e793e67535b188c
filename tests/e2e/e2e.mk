# The whole path in real browsers on real desktops. Each file of tests starts the desktop that it needs.
.PHONY: e2e
e2e: programs extension tools $(FAKE_PRODUCER) ## Run the end-to-end tests in Firefox and Chromium
	node --test --test-concurrency=1 $(if $(E2E),$(E2E:%=tests/e2e/%.test.js),$(sort $(wildcard tests/e2e/*.test.js)))
.PHONY: bench-page
bench-page: programs extension tools ## Measure what the extension costs pages, and how soon the dialog comes (LOADS=30 ASKS=8)
	node tests/e2e/costs.js
.PHONY: screenshots
screenshots: programs extension tools ## Take the pictures of the extension's pages in docs/images
	@mkdir -p $(B)/screenshots && chmod 777 $(B)/screenshots
	FOLDER=$(abspath $(B))/screenshots node tests/e2e/screenshots.js
	cp $(B)/screenshots/*.png docs/images/
