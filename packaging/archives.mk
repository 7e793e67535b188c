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
