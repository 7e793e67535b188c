# Both browsers' extension: one source tree, the shared manifest under the browser's own. What goes into pages is put
# together from modules; of these the pages of the extension itself need the decoder.
EXTENSION_SRC := $(shell find extension -type f 2>/dev/null)
$(B)/extension-%/manifest.json: $(EXTENSION_SRC) manifest/extension.json manifest/extension.%.json \
		packaging/extension-scripts packaging/cat-script Makefile
	@rm -rf $(@D)
	@mkdir -p $(@D)/page
	$(call say,EXT,$(@D))
	cp -R $(addprefix extension/,background icons _locales managed.json shared ui) $(@D)/
	cp extension/page/decoder.js $(@D)/page/
	packaging/extension-scripts $* $(@D)/scripts
	jq -s --arg v '$(VERSION)' '.[0] * .[1] | .version = $$v' manifest/extension.json manifest/extension.$*.json > $@
extension: $(B)/extension-chromium/manifest.json $(B)/extension-firefox/manifest.json ## Build the loadable extensions and the archives for the stores (CRX_KEY=key.pem: a .crx too)

# What the stores take, beside the loadable folders: the same bit for bit from the same sources. CRX_KEY=key.pem signs a
# .crx as well, whose id is that key's.
ARCHIVES := $(B)/portlight-chromium-$(VERSION).zip $(B)/portlight-firefox-$(VERSION).xpi \
	$(if $(CRX_KEY),$(B)/portlight-chromium-$(VERSION).crx)
$(B)/portlight-chromium-$(VERSION).zip: $(B)/extension-chromium/manifest.json packaging/archive
$(B)/portlight-firefox-$(VERSION).xpi: $(B)/extension-firefox/manifest.json packaging/archive
$(B)/portlight-chromium-$(VERSION).zip $(B)/portlight-firefox-$(VERSION).xpi:
	$(call say,ZIP,$@)
	packaging/archive $(<D) $@
$(B)/portlight-chromium-$(VERSION).crx: $(B)/portlight-chromium-$(VERSION).zip $(CRX_KEY) packaging/crx
	$(call say,CRX,$@)
	packaging/crx $< $(CRX_KEY) $@
extension: $(ARCHIVES)
