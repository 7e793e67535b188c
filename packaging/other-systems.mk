# Packages for other systems than Debian, made with Debian's builds of their tools (packaging/install-deps packages)
# from a copy of the sources, as those systems would make them.
SOURCES_TAR := portlight-$(VERSION).tar.gz
PACKED := LICENSE README.md CHANGELOG.md Makefile docs extension host manifest packaging
pack_sources = tar -czf $(1) --exclude=node_modules --owner=0 --group=0 --sort=name --transform='s,^,portlight-$(VERSION)/,' $(PACKED)
# Their make is none of ours.
APART := env -u MAKEFLAGS -u MAKELEVEL

RPM := $(abspath $(B))/rpm
.PHONY: rpm
rpm: ## Build rpm packages in build/rpm/
	@rm -rf $(RPM)
	@mkdir -p $(RPM)/SOURCES
	$(call pack_sources,$(RPM)/SOURCES/$(SOURCES_TAR))
	sed 's/@VERSION@/$(VERSION)/' packaging/rpm/portlight.spec.in > $(RPM)/portlight.spec
	$(call say,RPM,$(B)/rpm)
	$(APART) rpmbuild -ba --nodeps --define '_topdir $(RPM)' --define '_dbpath $(RPM)/db' $(RPM)/portlight.spec \
		> $(RPM)/log 2>&1 || { tail -n 40 $(RPM)/log; exit 1; }
	@rm -rf $(RPM)/BUILD $(RPM)/BUILDROOT $(RPM)/db

# makepkg refuses to run as root.
ARCH_DIR := $(abspath $(B))/arch
.PHONY: arch
arch: ## Build a package for Arch Linux in build/arch/ (as another user than root)
	@rm -rf $(ARCH_DIR)
	@mkdir -p $(ARCH_DIR)
	$(call pack_sources,$(ARCH_DIR)/$(SOURCES_TAR))
	sed 's/@VERSION@/$(VERSION)/' packaging/arch/PKGBUILD > $(ARCH_DIR)/PKGBUILD
	$(call say,ARCH,$(B)/arch)
	cd $(ARCH_DIR) && $(APART) PKGDEST=$(ARCH_DIR) BUILDDIR=$(ARCH_DIR)/work makepkg --nodeps --nocolor > log 2>&1 || { tail -n 40 log; exit 1; }
	@rm -rf $(ARCH_DIR)/work
