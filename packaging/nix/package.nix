# For pkgs.callPackage ./package.nix { }. Unproven but for its syntax: no nixpkgs is here to build it with.
# Firefox: programs.firefox.nativeMessagingHosts.packages = [ portlight ]; Chromium:
# environment.etc."chromium/native-messaging-hosts/org.portlight.host.json".source =
#   "${portlight}/etc/chromium/native-messaging-hosts/org.portlight.host.json";
# The extension is loaded by hand from share/ below the package: nixpkgs' Firefox takes signed ones only.
{
  lib,
  stdenv,
  ffmpeg,
  glib,
  jq,
  json_c,
  libseccomp,
  libuv,
  libvpx,
  libwebsockets,
  libyuv,
  openssl,
  pipewire,
  pkg-config,
  scdoc,
  zip,
}:
stdenv.mkDerivation {
  pname = "portlight";
  version = lib.head (builtins.match ".*\nVERSION := ([0-9.]+)\n.*" (builtins.readFile ../../Makefile));
  src = lib.cleanSource ../..;
  nativeBuildInputs = [
    jq
    pkg-config
    scdoc
    zip
  ];
  buildInputs = [
    ffmpeg
    glib
    json_c
    libseccomp
    libuv
    libvpx
    libwebsockets
    libyuv
    openssl
    pipewire
  ];
  enableParallelBuilding = true;
  postPatch = "patchShebangs packaging";

  # The manifests are for folders outside of the store; below the package wrappers and modules find them.
  installPhase = ''
    runHook preInstall
    make install DESTDIR="$NIX_BUILD_TOP/root" prefix="$out" STRIP=true
    mkdir -p "$out/lib"
    cp -R "$NIX_BUILD_TOP/root$out/." "$out/"
    cp -R "$NIX_BUILD_TOP/root/etc" "$out/"
    cp -R "$NIX_BUILD_TOP/root/usr/lib/." "$out/lib/"
    runHook postInstall
  '';

  meta = {
    description = "Screen sharing for web pages through the desktop's portal";
    license = lib.licenses.mit;
    mainProgram = "portlight";
    platforms = lib.platforms.linux;
  };
}
