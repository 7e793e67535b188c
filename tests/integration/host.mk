# portlight-host over stdio, on a private bus with a scripted portal and a scripted capture helper. V=asan for the sanitizers.
.PHONY: integration-host
integration-host: $(BIN)/portlight-host ## Run the host's integration tests
	PORTLIGHT_HOST='$(abspath $(BIN)/portlight-host)' node --test $(sort $(wildcard tests/integration/host/*.test.js))
