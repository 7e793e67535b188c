# The browsers' table and the manifest templates, as C for host/browsers/browsers.c.
$(B)/gen/browsers.inc: manifest/browsers.tsv packaging/browsers.awk manifest/host.chromium.json.in manifest/host.firefox.json.in packaging/browsers.mk
	@mkdir -p $(@D)
	@set -e; { echo '/* Generated from manifest/ by packaging/browsers.mk. */'; \
	awk -v shipped='$(or $(SHIPS),package)' -f packaging/browsers.awk manifest/browsers.tsv; \
	for family in chromium firefox; do \
		echo "static const char $${family}_template[] ="; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/\t"&\\n"/' manifest/host.$$family.json.in; \
		echo ';'; \
	done; } > $@.new
	@mv $@.new $@

$(O)/host/browsers/browsers.o tidy-browsers: $(B)/gen/browsers.inc
