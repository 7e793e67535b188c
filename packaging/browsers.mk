# The browsers' table and the manifest templates, as C for host/browsers/browsers.c.
$(B)/gen/browsers.inc: manifest/browsers.tsv manifest/host.chromium.json.in manifest/host.firefox.json.in packaging/browsers.mk
	@mkdir -p $(@D)
	@{ echo '/* Generated from manifest/ by packaging/browsers.mk. */'; \
	echo 'const struct browser browsers_all[] = {'; \
	awk -F '\t' '/^#/ || $$1 == "browser" { next } { \
		printf "\t{\"%s\", BROWSER_%s, %s, \"%s\"},\n", $$1, toupper($$2), \
			$$3 == "-" ? "NULL" : "\"" $$3 "\"", $$4 }' manifest/browsers.tsv; \
	echo '	{0},'; echo '};'; \
	for family in chromium firefox; do \
		echo "static const char $${family}_template[] ="; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/\t"&\\n"/' manifest/host.$$family.json.in; \
		echo ';'; \
	done; } > $@

$(O)/host/browsers/browsers.o tidy-browsers: $(B)/gen/browsers.inc
