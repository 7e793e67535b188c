#include <string.h>

#include "browsers/session_bus.h"
#include "control/local_socket.h"
#include "control/portal.h"
#include "doctor/checks.h"

#define PORTAL_TIMEOUT_DOCTOR_MS 5000u

void check_session(struct doctor *doctor) {
	static const char remedy[] = "Run this in a terminal of your desktop.";
	const char *display = g_getenv("WAYLAND_DISPLAY");
	if (display == NULL && g_getenv("DISPLAY") != NULL) {
		report_add(doctor->report, REPORT_NOTE, "session-x11", NULL,
			"This is an X11 session; browsers can share it without Portlight.");
		return;
	}
	if (display == NULL) {
		report_add(doctor->report, REPORT_PROBLEM, "session-missing", remedy,
			"There is no Wayland session here (WAYLAND_DISPLAY is not set).");
		return;
	}
	g_autofree char *path = NULL;
	if (local_socket_listens(g_get_user_runtime_dir(), display, &path)) {
		report_add(
			doctor->report, REPORT_OK, "session", NULL, "Wayland session (%s)", path);
	} else {
		report_add(doctor->report, REPORT_PROBLEM, "session-dead", remedy,
			"The Wayland session at %s does not answer.", path);
	}
	report_detail(doctor->report, "path", path);
}

void check_bus(struct doctor *doctor) {
	g_autoptr(GError) error = NULL;
	doctor->bus = session_bus(&error);
	if (doctor->bus != NULL) {
		report_add(doctor->report, REPORT_OK, "bus", NULL, "Session bus");
	} else if (error != NULL) {
		report_add(doctor->report, REPORT_PROBLEM, error_code_string(ERROR_BUS_LOST),
			"Log in again.", "Can't connect to the session bus: %s", error->message);
	} else {
		report_add(doctor->report, REPORT_PROBLEM, "bus-missing",
			"Log in to a desktop, and run this in a terminal there.",
			"There is no session bus.");
	}
}

/* ---- the portal ---- */

struct portal_check {
	struct portal *portal;
	bool done;
	enum error_code code;
	char *detail;
	struct portal_info info;
};

static void probed(
	void *data, enum error_code code, const char *detail, const struct portal_info *info) {
	struct portal_check *check = data;
	check->done = true;
	check->code = code;
	check->detail = g_strdup(detail);
	if (info != NULL) {
		check->info = *info;
	}
}

void portal_start(struct doctor *doctor) {
	if (doctor->bus != NULL) {
		doctor->portal = g_new0(struct portal_check, 1);
		doctor->portal->portal = portal_create(PORTAL_TIMEOUT_DOCTOR_MS);
		portal_probe(doctor->portal->portal, 0, NULL, probed, doctor->portal);
	}
}

bool portal_busy(const struct doctor *doctor) {
	return doctor->portal != NULL && !doctor->portal->done;
}

void portal_finish(struct doctor *doctor) {
	if (doctor->portal != NULL) {
		portal_destroy(doctor->portal->portal);
		g_free(doctor->portal->detail);
		g_free(doctor->portal);
	}
}

static char *join_names(uint32_t bits, const char *const *names) {
	const char *chosen[8] = {NULL};
	size_t count = 0;
	for (size_t i = 0; names[i] != NULL; i++) {
		if ((bits & (1u << i)) != 0) {
			chosen[count++] = names[i];
		}
	}
	return count > 0 ? g_strjoinv(", ", (char **)chosen) : g_strdup("none");
}

void check_portal(struct doctor *doctor) {
	static const char *const sources[] = {"screens", "windows", "virtual screens", NULL};
	static const char *const cursors[] = {"hidden", "embedded", "metadata", NULL};
	const struct portal_check *check = doctor->portal;
	if (check == NULL) {
		return;
	}
	if (check->code != ERROR_NONE) {
		report_error(doctor->report, check->code, check->detail);
		return;
	}
	g_autofree char *offered = join_names(check->info.source_types, sources);
	g_autofree char *modes = join_names(check->info.cursor_modes, cursors);
	if ((check->info.source_types & (PORTAL_SOURCE_MONITOR | PORTAL_SOURCE_WINDOW)) == 0) {
		report_add(doctor->report, REPORT_PROBLEM,
			error_code_string(ERROR_PORTAL_UNSUPPORTED),
			error_remedy(ERROR_PORTAL_MISSING),
			"The screen sharing portal offers neither screens nor windows.");
	} else {
		report_add(doctor->report, REPORT_OK, "portal", NULL,
			"Screen sharing portal, version %u: %s; pointer: %s", check->info.version,
			offered, modes);
	}
	report_number(doctor->report, "interfaceVersion", check->info.version);
	report_detail(doctor->report, "sources", offered);
	report_detail(doctor->report, "cursors", modes);
}

/* ---- PipeWire ---- */

void check_pipewire(struct doctor *doctor) {
	g_autofree char *path = NULL;
	if (!local_socket_pipewire(&path)) {
		report_add(doctor->report, REPORT_PROBLEM, "pipewire-missing",
			"Install pipewire and wireplumber, then: systemctl --user start pipewire "
			"wireplumber",
			"PipeWire does not run (%s).", path);
		report_detail(doctor->report, "path", path);
		return;
	}
	g_autofree char *version = own_checked(doctor, "pipewire");
	g_autofree char *manager = own_checked(doctor, "manager");
	g_autofree char *why = own_checked(doctor, "pipewire-error");
	if (why != NULL) {
		report_error(doctor->report, ERROR_PIPEWIRE_REFUSED, why);
	} else {
		report_add(doctor->report, REPORT_OK, "pipewire", NULL, "PipeWire%s%s (%s)",
			version != NULL ? " " : "", version != NULL ? version : "", path);
	}
	report_detail(doctor->report, "path", path);
	report_detail(doctor->report, "version", version);
	if (version != NULL && manager != NULL) {
		report_add(doctor->report, REPORT_OK, "session-manager", NULL,
			"PipeWire's session manager: %s", manager);
	} else if (version != NULL) {
		report_add(doctor->report, REPORT_PROBLEM, "manager-missing",
			"Install wireplumber, then: systemctl --user start wireplumber",
			"PipeWire has no session manager, so no shared picture arrives.");
	}
}
