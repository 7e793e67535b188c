// Generated from host/wire/errors.def by packaging/errors-js (`make errors`): change that file, not this one.

/** @typedef {{name: string, message: string, remedy: string}} CatalogueEntry `name` is the DOMException's name */

/** @type {Readonly<Record<string, CatalogueEntry>>} */
export const errors = Object.freeze({
	'ok': {
		name: '',
		message: '',
		remedy: '',
	},
	'bad-frame': {
		name: 'OperationError',
		message: 'The native message\'s framing is broken.',
		remedy: 'Reload the extension; if it happens again, report it with the host\'s log.',
	},
	'message-too-large': {
		name: 'OperationError',
		message: 'The message is longer than 1 MiB.',
		remedy: 'Reload the extension; if it happens again, report it with the host\'s log.',
	},
	'bad-utf8': {
		name: 'OperationError',
		message: 'The message is not valid UTF-8.',
		remedy: 'Reload the extension; if it happens again, report it with the host\'s log.',
	},
	'bad-json': {
		name: 'OperationError',
		message: 'The message is not valid JSON, or is nested too deeply.',
		remedy: 'Reload the extension; if it happens again, report it with the host\'s log.',
	},
	'bad-message': {
		name: 'OperationError',
		message: 'The message is not an object with a string `type`.',
		remedy: 'Reload the extension; if it happens again, report it with the host\'s log.',
	},
	'unknown-type': {
		name: 'NotSupportedError',
		message: 'The host does not know this type of message.',
		remedy: 'Install the extension and the host of the same version.',
	},
	'bad-field': {
		name: 'TypeError',
		message: 'A field is missing, unexpected, of the wrong type or out of range.',
		remedy: 'Install the extension and the host of the same version.',
	},
	'duplicate-id': {
		name: 'InvalidStateError',
		message: 'A request with this id is still pending.',
		remedy: 'Reload the extension; if it happens again, report it with the host\'s log.',
	},
	'too-many-requests': {
		name: 'InvalidStateError',
		message: 'There are too many requests.',
		remedy: 'Answer or close the share dialogs that are open, wait a little, then try again.',
	},
	'unknown-share': {
		name: 'InvalidStateError',
		message: 'This share does not exist or has ended.',
		remedy: 'Share the screen again.',
	},
	'bad-state': {
		name: 'InvalidStateError',
		message: 'The share is not in a state that allows this.',
		remedy: 'Share the screen again.',
	},
	'hello-required': {
		name: 'InvalidStateError',
		message: 'The first message must be `hello`.',
		remedy: 'Install the extension and the host of the same version.',
	},
	'version-mismatch': {
		name: 'NotSupportedError',
		message: 'The extension and the host speak different versions of the protocol.',
		remedy: 'Update the extension and the Portlight package to the same version.',
	},
	'wrong-caller': {
		name: 'NotAllowedError',
		message: 'The host was not started by the Portlight extension.',
		remedy: 'Install the host from the same source as the extension, or add the extension\'s id to ~/.config/portlight/extensions and run `portlight install`.',
	},
	'denied': {
		name: 'NotAllowedError',
		message: 'The user declined to share.',
		remedy: 'Ask again and choose a screen or a window in the dialog.',
	},
	'cancelled': {
		name: 'AbortError',
		message: 'The request was cancelled.',
		remedy: 'Ask again.',
	},
	'portal-missing': {
		name: 'NotSupportedError',
		message: 'This desktop has no screen sharing portal (org.freedesktop.portal.ScreenCast).',
		remedy: 'Install xdg-desktop-portal and the backend of your desktop (for GNOME xdg-desktop-portal-gnome), then log in again.',
	},
	'portal-unsupported': {
		name: 'NotSupportedError',
		message: 'The portal offers no source of the requested kind.',
		remedy: 'Ask for another kind of source.',
	},
	'portal-error': {
		name: 'NotReadableError',
		message: 'The screen sharing portal reported an error.',
		remedy: 'Try again; if it happens again, restart xdg-desktop-portal (systemctl --user restart xdg-desktop-portal).',
	},
	'portal-timeout': {
		name: 'NotReadableError',
		message: 'The screen sharing portal did not answer.',
		remedy: 'If another dialog of it is open, answer that one and try again. Otherwise restart it (systemctl --user restart xdg-desktop-portal).',
	},
	'portal-no-streams': {
		name: 'NotFoundError',
		message: 'The portal granted the share but named no stream.',
		remedy: 'Ask again and choose a screen or a window in the dialog.',
	},
	'bus-lost': {
		name: 'NotReadableError',
		message: 'The session bus or the portal went away.',
		remedy: 'Log in again, or restart xdg-desktop-portal.',
	},
	'stopped': {
		name: '',
		message: 'The share was stopped.',
		remedy: 'Share the screen again.',
	},
	'session-closed': {
		name: '',
		message: 'The desktop ended the share.',
		remedy: 'Share the screen again.',
	},
	'helper-missing': {
		name: 'NotReadableError',
		message: 'The capture helper could not be started.',
		remedy: 'Reinstall Portlight: portlight-capture belongs next to portlight-host.',
	},
	'helper-crashed': {
		name: 'NotReadableError',
		message: 'The capture helper ended unexpectedly.',
		remedy: 'Share the screen again; if it happens again, report it with the host\'s log.',
	},
	'helper-timeout': {
		name: 'NotReadableError',
		message: 'The capture helper got no picture in time.',
		remedy: 'Share the screen again; if it happens again, restart PipeWire (systemctl --user restart pipewire).',
	},
	'bad-packet': {
		name: 'OperationError',
		message: 'The host and the capture helper do not understand each other.',
		remedy: 'Reinstall Portlight so that both programs are of the same version.',
	},
	'pipewire-refused': {
		name: 'NotReadableError',
		message: 'PipeWire refused the connection.',
		remedy: 'Restart PipeWire (systemctl --user restart pipewire wireplumber) and share again.',
	},
	'pipewire-lost': {
		name: 'NotReadableError',
		message: 'The connection to PipeWire was lost.',
		remedy: 'Restart PipeWire (systemctl --user restart pipewire wireplumber) and share again.',
	},
	'source-gone': {
		name: '',
		message: 'The shared screen or window is gone.',
		remedy: 'Share the screen again.',
	},
	'format-unsupported': {
		name: 'NotReadableError',
		message: 'The desktop offers no picture format that Portlight can read.',
		remedy: 'Report it with the formats that the detail lists.',
	},
	'encoder-failed': {
		name: 'EncodingError',
		message: 'The video encoder failed.',
		remedy: 'Share the screen again; if it happens again, report it with the host\'s log.',
	},
	'out-of-memory': {
		name: 'NotReadableError',
		message: 'Memory ran out.',
		remedy: 'Close other programs and share again.',
	},
	'host-missing': {
		name: 'NotReadableError',
		message: 'The browser finds no Portlight host.',
		remedy: 'Install the portlight package, or run `make install`, then restart the browser. A browser that is a Flatpak or a Snap may not see the host: `portlight doctor` says what works there.',
	},
	'host-crashed': {
		name: 'NotReadableError',
		message: 'The Portlight host ended unexpectedly.',
		remedy: 'Share the screen again; if it happens again, run `portlight doctor`, and report it with the host\'s log.',
	},
	'busy': {
		name: 'InvalidStateError',
		message: 'A share request of this page is still pending.',
		remedy: 'Answer the share dialog that is open, then ask again.',
	},
	'bad-source-id': {
		name: 'NotAllowedError',
		message: 'This source id is unknown, already used, too old, or belongs to another page.',
		remedy: 'Ask for a new source id.',
	},
	'decoder-failed': {
		name: 'NotReadableError',
		message: 'The browser could not decode the shared picture.',
		remedy: 'Update the browser, or share again.',
	},
	'region-outside': {
		name: 'OperationError',
		message: 'The requested region lies outside the shared picture.',
		remedy: 'Share again, with a region inside the picture.',
	},
	'state-unusable': {
		name: 'NotReadableError',
		message: 'Remembered choices can\'t be read or kept.',
		remedy: 'Make sure that you own the folder portlight in ~/.local/state (or $XDG_STATE_HOME) and can write to it.',
	},
	'site-blocked': {
		name: 'NotAllowedError',
		message: 'This site is blocked from sharing the screen.',
		remedy: 'Change the site\'s setting in Portlight\'s popup; if it is locked, your organization decides.',
	},
	'cool-down': {
		name: 'NotAllowedError',
		message: 'The page asked again too soon after it was refused.',
		remedy: 'Wait a little, or click in the page and ask again.',
	},
	'insecure-page': {
		name: 'NotAllowedError',
		message: 'Only pages with a secure origin may share the screen.',
		remedy: 'Open the page over https; a sandboxed frame needs an origin of its own (allow-same-origin).',
	},
	'frame-forbidden': {
		name: 'NotAllowedError',
		message: 'The permissions policy of this page, or of the page around this frame, does not let it share the screen.',
		remedy: 'Its author permits a frame with allow="display-capture", and a page with the header Permissions-Policy.',
	},
	'native-off': {
		name: 'NotSupportedError',
		message: 'Your organization has switched off sharing through the Portlight host.',
		remedy: 'Use a browser that has its own screen sharing dialog, or ask your organization.',
	},
	'host-timeout': {
		name: 'NotReadableError',
		message: 'The Portlight host does not answer.',
		remedy: 'Share the screen again; if it happens again, restart the browser and run `portlight doctor`.',
	},
	'host-unusable': {
		name: 'NotReadableError',
		message: 'The browser could not start the Portlight host.',
		remedy: 'Reinstall Portlight. If the browser is a Snap, permit it to start the host: flatpak permission-set webextensions org.portlight.host snap.firefox yes. `portlight doctor` tells more.',
	},
	'not-supported': {
		name: 'NotSupportedError',
		message: 'This is not possible here.',
		remedy: 'Ask for the capabilities first, and only for what they list.',
	},
	'bad-ask': {
		name: 'TypeError',
		message: 'The request is unknown, or something in it has the wrong type.',
		remedy: 'Portlight\'s documentation lists what pages may ask.',
	},
	'not-activated': {
		name: 'InvalidStateError',
		message: 'The page has no user gesture: nobody has just clicked or typed in it.',
		remedy: 'Ask when the user clicks a button or presses a key.',
	},
	'host-slow': {
		name: 'NotReadableError',
		message: 'The Portlight host has not answered yet.',
		remedy: 'Wait a moment: a busy machine takes longer. If it does not answer then, run `portlight doctor`.',
	},
	'chooser-error': {
		name: 'NotReadableError',
		message: 'The browser could not show its own dialog.',
		remedy: 'Try again, or choose `Always the desktop\'s` in Portlight\'s settings.',
	},
	'no-picture': {
		name: 'NotReadableError',
		message: 'The screen or window sent no picture.',
		remedy: 'Move the pointer or something else on it and share it again, or share another screen or window.',
	},
	'not-in-front': {
		name: 'InvalidStateError',
		message: 'The page is hidden, or another tab or window of the browser is in front of it.',
		remedy: 'Go to the page\'s tab, then ask again.',
	},
});
