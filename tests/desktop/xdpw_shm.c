/*
 * Preloaded into xdg-desktop-portal-wlr by with-desktop --shell sway, where there is no GPU.
 *
 * Up to 0.7.1 that portal refuses every share ("unable to receive a valid format from
 * wlr_screencopy") unless the compositor names a DMA-BUF format for a frame. sway's pixman renderer
 * names none, though shared memory is all that is wanted. So before each `buffer` event of a
 * zwlr_screencopy_frame_v1 the portal is told of XR24 too. As the compositor knows no modifiers,
 * the portal then offers shared memory alone, on its real path.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct wl_proxy;

/* The events of zwlr_screencopy_frame_v1 version 3, in the order of wlr-screencopy-unstable-v1.xml.
 */
struct frame_events {
	void (*buffer)(void *data, struct wl_proxy *frame, uint32_t format, uint32_t width,
		uint32_t height, uint32_t stride);
	void (*flags)(void *data, struct wl_proxy *frame, uint32_t flags);
	void (*ready)(void *data, struct wl_proxy *frame, uint32_t high, uint32_t low,
		uint32_t nanoseconds);
	void (*failed)(void *data, struct wl_proxy *frame);
	void (*damage)(void *data, struct wl_proxy *frame, uint32_t x, uint32_t y, uint32_t width,
		uint32_t height);
	void (*linux_dmabuf)(void *data, struct wl_proxy *frame, uint32_t format, uint32_t width,
		uint32_t height);
	void (*buffer_done)(void *data, struct wl_proxy *frame);
};

enum { FOURCC_XR24 = 0x34325258 };

static struct frame_events portals; /* its own handlers: the same for all frames */
static struct frame_events ours;

static void on_buffer(void *data, struct wl_proxy *frame, uint32_t format, uint32_t width,
	uint32_t height, uint32_t stride) {
	portals.linux_dmabuf(data, frame, FOURCC_XR24, width, height);
	portals.buffer(data, frame, format, width, height, stride);
}

/* libwayland-client's own, with our handler in place of the portal's for frames. */
int wl_proxy_add_listener(struct wl_proxy *proxy, void (**handlers)(void), void *data);
int wl_proxy_add_listener(struct wl_proxy *proxy, void (**handlers)(void), void *data) {
	int (*add)(struct wl_proxy *, void (**)(void), void *) =
		(__typeof__(add))dlsym(RTLD_NEXT, "wl_proxy_add_listener");
	const char *(*class_of)(struct wl_proxy *) =
		(__typeof__(class_of))dlsym(RTLD_NEXT, "wl_proxy_get_class");
	if (add == NULL || class_of == NULL) {
		abort(); /* Not libwayland's program. */
	}
	if (strcmp(class_of(proxy), "zwlr_screencopy_frame_v1") == 0) {
		memcpy(&portals, handlers, sizeof(portals));
		ours = portals;
		ours.buffer = on_buffer;
		handlers = (void (**)(void))(&ours);
	}
	return add(proxy, handlers, data);
}
