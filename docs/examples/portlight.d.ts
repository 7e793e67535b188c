/** What Portlight's page API can do, version 1: docs/PAGES.md. */

export type CursorMode = 'never' | 'always' | 'send';
export type Surface = 'monitor' | 'window';
export type ImageType = 'image/png' | 'image/jpeg' | 'image/webp';

/** In pixels of what is shared, from its top left corner. */
export interface Region {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** What a promise of this module is rejected with. */
export interface PortlightError extends Error {
	/** From the catalogue in docs/PAGES.md: `denied`, `cancelled`, `not-activated`, … */
	code: string;
	/** What the person can do about it, to be shown to them. */
	remedy: string;
}

export interface Capabilities {
	/** Whether a share can be asked for; `error` says why not. */
	available: boolean;
	error?: { code: string; name: string; message: string; remedy: string };
	sources: string[];
	codecs: ('vp9' | 'vp8')[];
	fidelity: ('motion' | 'text')[];
	cursor: CursorMode[];
	region: boolean;
	/** Whether one request can be for several sources. */
	multiple: boolean;
	/** Whether a choice can be kept for this site. */
	remember: boolean;
	/** Whether `source`, `pause`, `resume`, `snapshot`, `change` and the events are there. */
	controls: boolean;
	/** Whether `getDisplayMedia` of this site is Portlight's. */
	displayMedia: boolean;
}

/** What the person chooses from. */
export interface SourceWish {
	/** Default: `['screen', 'window']`. */
	sources?: string[];
	/** Default: the person's, which is `'always'` by itself. `'send'`: it is left out of the picture and comes as `cursor` events. */
	cursor?: CursorMode;
	region?: Region | null;
	/** `false`: what the person allowed to be kept for this site is not used, so the dialog always opens. */
	remember?: boolean;
}

export interface Wish extends SourceWish {
	/** At most so many frames a second. */
	frameRate?: number;
	/** At most so wide; the picture keeps its shape. */
	width?: number;
	height?: number;
	/** `'text'`: coloured text stays sharp, for more bits. */
	fidelity?: 'motion' | 'text';
}

export interface Source {
	surface: Surface;
	/** Of the picture. */
	width: number;
	height: number;
	frameRate: number;
	cursor: 'never' | 'always';
	/** Of what is shared. */
	source: { width: number; height: number };
}

/** The hotspot's place, in the picture's pixels; with a new image its RGBA `pixels`, size and hotspot. */
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
	/** The page or the person paused it, or nobody has it paused any more. */
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
	/** What the person paused stays paused. */
	resume(): Promise<{ pausedBy: ('page' | 'person')[] }>;
	snapshot(): Promise<ImageBitmap>;
	snapshot(as: ImageType): Promise<Blob>;
	/** Asks for another source; the same track goes on with it. Rejected, the one before goes on. */
	change(wish?: SourceWish): Promise<Source>;
	stop(): void;
	addEventListener<Type extends keyof ShareEvents>(
		type: Type,
		listener: (event: ShareEvents[Type]) => void,
		options?: boolean | AddEventListenerOptions,
	): void;
}

/** null: the extension did not answer in `patience` milliseconds, so it is not there. */
export function version(patience?: number): Promise<{ version: string; api: number } | null>;
export function capabilities(): Promise<Capabilities>;
/** Asks the person, in a click or a key press; rejects with a PortlightError. */
export function request(wish?: Wish): Promise<Share>;
/** The person may choose several, where the desktop's dialog lets them. */
export function request(wish: Wish & { multiple: true }): Promise<Share[]>;
