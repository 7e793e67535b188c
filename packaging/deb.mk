# Debian packages, from a copy of the sources: the tree may have other builds and files in it. All of it is the same, byte for
# byte, from the same sources: the changelog gives the time. The library of the rooms' pages goes along, into the source package
# too, where packaging/install-deps --pages has put it beside them; else the package has none, which is said.
DEB := $(B)/deb
DEB_SOURCE := $(DEB)/portlight-$(VERSION)
# The tree's files; outside of a clone, all but what was built or fetched.
DEB_FILES = git ls-files -z --cached --others --exclude-standard 2>/dev/null || \
	find . \( -path ./$(B) -o -name node_modules -o -name .git \) -prune -o \( -type f -o -type l \) -print0
LIBRARY := docs/examples/library
.PHONY: deb check-packages
deb: ## Build the Debian packages in build/deb (DEB_FLAGS: dpkg-buildpackage's options)
	@command -v dh >/dev/null || { echo "make deb: debhelper is not installed. Remedy: packaging/install-deps build deb" >&2; exit 1; }
	@test "$$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)" = '$(VERSION)' || \
		{ echo "make deb: the newest entry of packaging/debian/changelog is not of version $(VERSION). Remedy: add one" >&2; exit 1; }
	@rm -rf $(DEB)
	@mkdir -p $(DEB_SOURCE)
	{ $(DEB_FILES); } | xargs -0 sh -c 'for f; do [ ! -e "$$f" ] || printf "%s\0" "$$f"; done' sh > $(DEB)/files
	tar --null --files-from=$(DEB)/files -cf $(DEB)/tree.tar && tar -C $(DEB_SOURCE) -xf $(DEB)/tree.tar
	@rm $(DEB)/files $(DEB)/tree.tar
	@if [ -d $(LIBRARY) ]; then cp -RT $(LIBRARY) $(DEB_SOURCE)/$(LIBRARY); else \
		echo 'make deb: portlight-rooms has no mediabunny: recordings of its pages have no index. Remedy: packaging/install-deps --pages' >&2; fi
	mv $(DEB_SOURCE)/packaging/debian $(DEB_SOURCE)/debian
	chmod -R u=rwX,go=rX $(DEB_SOURCE)
	find $(DEB_SOURCE) -exec touch --no-dereference \
		-d "@$$(dpkg-parsechangelog -l packaging/debian/changelog -S Timestamp)" {} +
	cd $(DEB_SOURCE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS dpkg-buildpackage -us -uc $(DEB_FLAGS)
	rm -rf $(DEB_SOURCE)
	$(call say,DEB,$(DEB))
check-packages: ## Test the packages: built, read, and as root installed in bare Debians and used in real browsers
	packaging/install-deps --npm --pages build deb desktop run firefox chromium rpm packages
	tests/run-checks packages packages-long
