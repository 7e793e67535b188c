/** What the tests' browsers are started with: no way out of the machine, and devices of their own making. */

/** Firefox's own traffic, each part at its source; the dead proxy below stops what is not listed here. */
export const firefoxPrefs = {
	'intl.accept_languages': 'en-US, en',
	'network.proxy.type': 1,
	'network.proxy.http': '127.0.0.1',
	'network.proxy.http_port': 9,
	'network.proxy.ssl': '127.0.0.1',
	'network.proxy.ssl_port': 9,
	'network.proxy.no_proxies_on': 'localhost, 127.0.0.1',
	'network.proxy.failover_direct': false,
	'network.proxy.allow_bypass': false,
	'network.dns.disabled': true,
	'network.trr.mode': 5,
	'network.dns.disablePrefetch': true,
	'network.prefetch-next': false,
	'network.captive-portal-service.enabled': false,
	'network.connectivity-service.enabled': false,
	'app.update.enabled': false,
	'app.normandy.enabled': false,
	'app.shield.optoutstudies.enabled': false,
	'browser.region.update.enabled': false,
	'browser.region.network.url': '',
	'browser.newtabpage.activity-stream.feeds.telemetry': false,
	'browser.newtabpage.activity-stream.asrouter.userprefs.cfr.addons': false,
	'browser.safebrowsing.provider.mozilla.updateURL': '',
	'browser.safebrowsing.provider.google4.updateURL': '',
	'browser.topsites.contile.enabled': false,
	'datareporting.usage.uploadEnabled': false,
	'dom.push.connection.enabled': false,
	'extensions.systemAddon.update.enabled': false,
	'media.gmp-provider.enabled': false,
	'messaging-system.rsexperimentloader.enabled': false,
	'security.OCSP.enabled': 0,
	'security.remote_settings.crlite_filters.enabled': false,
	'security.remote_settings.intermediates.enabled': false,
	'toolkit.telemetry.enabled': false,
	'toolkit.telemetry.unified': false,
	'toolkit.telemetry.server': '',
	// WebRTC between two pages of this machine.
	'media.peerconnection.ice.obfuscate_host_addresses': false,
	'media.peerconnection.ice.loopback': true,
	// The clocks of the page and of the marker are compared.
	'privacy.reduceTimerPrecision': false,
	'media.autoplay.default': 0,
	// Firefox plays pictures by the clock of the sound's device. The desktop's PipeWire has none, and whether it ticks all the same
	// depends on load: no picture moved then, not even one's own.
	'media.cubeb.force_null_context': true,
};

/** A camera's pictures a second: several people's are coded on the processors that everything else needs too. */
const FAKE_FPS = 10;

/** Without a sound card Chromium decodes no sound that comes, unless it is told to do without. */
export const chromiumFakes = [`--use-fake-device-for-media-stream=fps=${FAKE_FPS}`, '--use-fake-ui-for-media-stream', '--disable-audio-output'];

export const firefoxFakes = {
	'media.navigator.streams.fake': true,
	'media.navigator.video.default_fps': FAKE_FPS,
	'media.navigator.permission.disabled': true,
};

export const chromiumArgs = [
	'--accept-lang=en-US,en',
	'--no-first-run',
	'--no-default-browser-check',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--disable-domain-reliability',
	'--metrics-recording-only',
	'--disable-gpu',
	'--autoplay-policy=no-user-gesture-required',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE ::1, EXCLUDE [::1], EXCLUDE localhost',
	'--disable-features=WebRtcHideLocalIpsWithMdns,OptimizationHints,MediaRouter,Translate',
	'--allow-loopback-in-peer-connection',
];
