/** Portlight's page API, version 1: docs/PAGES.md. */

export type CursorMode = 'never' | 'always' | 'send';
export type Surface = 'monitor' | 'window';
export type ImageType = 'image/png' | 'image/jpeg' | 'image/webp';

/** In pixels of the shared source, from its top left corner. */
export interface Region {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** Promises of this module reject with this. */
export interface PortlightError extends Error {
	/** From the catalogue in docs/PAGES.md: `denied`, `cancelled`, `not-activated`, … */
	code: string;
	/** What the user can do about it. Show it. */
	remedy: string;
}

export interface Capabilities {
	/** Whether `request` can work; `error` says why not. */
	available: boolean;
	error?: { code: string; name: string; message: string; remedy: string };
	sources: string[];
	codecs: ('vp9' | 'vp8')[];
	fidelity: ('motion' | 'text')[];
	cursor: CursorMode[];
	region: boolean;
	/** Whether one request can return several sources. */
	multiple: boolean;
	/** Whether the user's choice can be remembered for this site. */
	remember: boolean;
	/** Whether `source`, `pause`, `resume`, `snapshot`, `change` and the events are supported. */
	controls: boolean;
	/** Whether this site's `getDisplayMedia` is Portlight's. */
	displayMedia: boolean;
}

/** What the user can choose from. */
export interface SourceWish {
	/** Default: `['screen', 'window']`. */
	sources?: string[];
	/** Default: the user's setting, normally `'always'`. `'send'`: not in the picture, but sent as `cursor` events. */
	cursor?: CursorMode;
	region?: Region | null;
	/** `false`: open the dialog even if the user's choice is remembered for this site. */
	remember?: boolean;
}

export interface Wish extends SourceWish {
	/** Maximum, in frames a second. */
	frameRate?: number;
	/** Maximum; the aspect ratio is kept. */
	width?: number;
	height?: number;
	/** `'text'`: coloured text stays sharp (4:4:4), at a higher bitrate. */
	fidelity?: 'motion' | 'text';
}

export interface Source {
	surface: Surface;
	/** Of the picture. */
	width: number;
	height: number;
	frameRate: number;
	cursor: 'never' | 'always';
	/** The size of the shared source. */
	source: { width: number; height: number };
}

/** The hotspot's position in the picture, in pixels; with a new image also its RGBA `pixels`, size and hotspot. */
export interface Cursor {
	visible: boolean;
	x: number;
	y: number;
	width?: number;
	height?: number;
	hotX?: number;
	hotY?: number;
	pixels?: Uint8ClampedArray<ArrayBuffer>;
}

export interface ShareEvents {
	/** Not sent when the page itself stopped the share. */
	ended: CustomEvent<{ code: string; name: string; message: string; remedy: string }>;
	resize: CustomEvent<{ width: number; height: number }>;
	/** After `change`. */
	source: CustomEvent<Source>;
	cursor: CustomEvent<Cursor>;
	/** `paused`: by the page or the user. `resumed`: by both. */
	paused: CustomEvent<object>;
	resumed: CustomEvent<object>;
}

export class Share extends EventTarget {
	private constructor();
	readonly id: string;
	readonly stream: MediaStream;
	readonly track: MediaStreamTrack;
	source(): Promise<Source>;
	pause(): Promise<{ pausedBy: ('page' | 'person')[] }>;
	/** A pause of the user's stays. */
	resume(): Promise<{ pausedBy: ('page' | 'person')[] }>;
	snapshot(): Promise<ImageBitmap>;
	snapshot(as: ImageType): Promise<Blob>;
	/** Asks for another source for the same track. If it rejects, the old source continues. */
	change(wish?: SourceWish): Promise<Source>;
	stop(): void;
	addEventListener<Type extends keyof ShareEvents>(
		type: Type,
		listener: (event: ShareEvents[Type]) => void,
		options?: boolean | AddEventListenerOptions,
	): void;
}

/** null: the extension did not answer within `patience` milliseconds, so it is not installed. */
export function version(patience?: number): Promise<{ version: string; api: number } | null>;
export function capabilities(): Promise<Capabilities>;
/** Asks the user. Needs a user gesture; rejects with a PortlightError. */
export function request(wish?: Wish): Promise<Share>;
/** The user can choose several sources if the desktop's dialog supports that. */
export function request(wish: Wish & { multiple: true }): Promise<Share[]>;
