.PHONY: errors
errors: ## Write the extension's copy of the error catalogue
	packaging/errors-js > extension/shared/errors.js
