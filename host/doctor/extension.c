#include <string.h>

#include "config.h"
#include "doctor/checks.h"
#include "profiles/profiles.h"

static const char older_remedy[] =
	"In Firefox: Add-ons and themes, Portlight, Permissions, and allow access to all sites. "
	"The package webext-portlight keeps other profiles from it.";

/* What is asked of one profile of one browser. */
struct subject {
	struct doctor *doctor;
	const struct browser *browser;
	const char *name;   /* the browser's or the Flatpak's */
	const char *system; /* the extension's place in the system's folder; NULL: it isn't there */
	const struct profile *profile;
};

__attribute__((format(printf, 5, 6))) static void add(const struct subject *subject,
	enum report_status status, const char *code, const char *remedy, const char *format, ...) {
	const struct profile *profile = subject->profile;
	struct report *report = subject->doctor->report;
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *text = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	g_autofree char *folder = g_path_get_basename(profile->path);
	report_add(
		report, status, code, remedy, "%s's profile %s: %s", subject->name, folder, text);
	report_detail(report, "browser", subject->browser->name);
	report_detail(report, "profile", profile->path);
	report_detail(report, "version", profile->version);
	report_detail(report, "path", profile->place);
}

static void check_versions(const struct subject *subject) {
	const char *version = subject->profile->version;
	if (version != NULL && strcmp(version, PORTLIGHT_VERSION) != 0) {
		add(subject, REPORT_NOTE, "extension-version",
			"Update the extension and the Portlight package to the same version.",
			"the extension has version %s, the host %s", version, PORTLIGHT_VERSION);
	}
}

static void check_found(const struct subject *subject) {
	static const char *const access[] = {
		[ACCESS_UNKNOWN] = "whether it is let in to sites is unknown",
		[ACCESS_NONE] = "let in to no site",
		[ACCESS_SOME] = "let in to some sites",
		[ACCESS_ALL] = "let in to all sites"};
	const struct profile *profile = subject->profile;
	if (profile->state == PROFILE_OFF) {
		add(subject, REPORT_PROBLEM, "extension-off",
			"Switch it on in the browser's list of extensions.",
			"the extension is switched off");
	} else if (profile->access == ACCESS_NONE && profile->never_asked &&
		   subject->system != NULL) {
		add(subject, REPORT_PROBLEM, "profile-older", older_remedy,
			"it is older than the package, so the extension is let in to no site");
	} else if (profile->access == ACCESS_NONE) {
		add(subject, REPORT_PROBLEM, error_code_string(ERROR_PAGE_CLOSED_OFF),
			"Allow Portlight on all sites in the browser's settings for extensions.",
			"the extension is let in to no site");
	} else {
		add(subject, REPORT_OK, "extension", NULL, "extension %s, switched on, %s",
			profile->version != NULL ? profile->version : "of unknown version",
			access[profile->access]);
	}
	check_versions(subject);
}

/* The extension is not in the profile, but in the system's folder. */
static void check_next(const struct subject *subject) {
	if (subject->browser->family == BROWSER_FIREFOX && !subject->profile->scans) {
		add(subject, REPORT_PROBLEM, "profile-older",
			"Reinstall webext-portlight, whose file in /etc/firefox or "
			"/etc/firefox-esr "
			"sets extensions.startupScanScopes to 8; or set it in about:config.",
			"it is older than the package, and Firefox will not start the extension "
			"there");
	} else {
		add(subject, REPORT_NOTE, "extension-next", NULL,
			"the extension comes when the browser starts the next time");
	}
}

static void check_profile(const struct subject *subject) {
	const struct profile *profile = subject->profile;
	if (profile->state == PROFILE_UNREADABLE) {
		add(subject, REPORT_NOTE, "profile-unreadable", NULL,
			"it does not tell of the extension: %s", profile->why);
	} else if (profile->state != PROFILE_WITHOUT) {
		check_found(subject);
	} else if (subject->system != NULL) {
		check_next(subject);
	}
}

void check_extension(struct doctor *doctor, const struct browser *browser,
	const struct sandboxed *flatpak, const char *name) {
	g_autofree char *version = NULL;
	/* A sandbox has none of the system's folders. */
	g_autofree char *system =
		flatpak == NULL ? profiles_system(browser, &doctor->extensions, "", &version)
				: NULL;
	g_autoptr(GPtrArray) profiles = profiles_read(browser, flatpak, &doctor->extensions, "");
	bool found = system != NULL;
	if (system != NULL) {
		report_add(doctor->report, REPORT_OK, "extension-system", NULL,
			"%s's extension for all users: %s%s%s", name, system,
			version != NULL ? " " : "", version != NULL ? version : "");
		report_detail(doctor->report, "browser", browser->name);
		report_detail(doctor->report, "path", system);
		report_detail(doctor->report, "version", version);
	}
	for (guint i = 0; i < profiles->len; i++) {
		const struct subject subject = {doctor, browser, name, system, profiles->pdata[i]};
		check_profile(&subject);
		found = found || subject.profile->state != PROFILE_WITHOUT;
	}
	if (!found) {
		report_add(doctor->report, REPORT_NOTE, "extension-missing",
			"Install the extension: the package webext-portlight has it for Firefox "
			"and "
			"Chromium. One that was loaded for a single run can't be seen here.",
			"%s has the extension in no profile and no folder of the system.", name);
		report_detail(doctor->report, "browser", browser->name);
	}
}
