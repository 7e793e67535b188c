# The browsers' table and the manifest templates, as C for host/cli/browsers.c.
$(B)/gen/browsers.inc: manifest/browsers.tsv packaging/browsers.awk manifest/host.chromium.json.in manifest/host.firefox.json.in packaging/cli.mk
	@mkdir -p $(@D)
	@set -e; { echo '/* Generated from manifest/ by packaging/cli.mk. */'; \
	awk -f packaging/browsers.awk manifest/browsers.tsv; \
	for family in chromium firefox; do \
		echo "static const char $${family}_template[] ="; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/\t"&\\n"/' manifest/host.$$family.json.in; \
		echo ';'; \
	done; } > $@.new
	@mv $@.new $@

$(O)/host/cli/browsers.o tidy-cli: $(B)/gen/browsers.inc
