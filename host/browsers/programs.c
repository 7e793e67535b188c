#include "browsers/programs.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WAIT_MS 5

struct program {
	char *path;
	char *argument;
	bool answered;
	int status;
	GString *output;
	char *why;
	GPid pid; /* 0: it was reaped, or never ran */
	int out;  /* where its output comes, or -1 */
	guint reading;
	guint waiting;
	guint timer;
};

struct programs {
	GPtrArray *all;
};

static bool runs(const struct program *program) {
	return program->pid != 0;
}

static void stop_watching(struct program *program) {
	g_clear_handle_id(&program->reading, g_source_remove);
	g_clear_handle_id(&program->waiting, g_source_remove);
	g_clear_handle_id(&program->timer, g_source_remove);
	close_fd(&program->out);
}

/* Until it is reaped nobody else can have its number. */
static void give_up(struct program *program, char *why) {
	stop_watching(program);
	(void)kill(-program->pid, SIGKILL);
	while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR) {
	}
	program->pid = 0;
	program->why = why;
}

static gboolean on_timer(gpointer data) {
	struct program *program = data;
	program->timer = 0;
	give_up(program, g_strdup("it does not answer"));
	return G_SOURCE_REMOVE;
}

/* False: it still runs. What it started goes with it. */
static bool take_end(struct program *program) {
	siginfo_t info = {0};
	int status = 0;
	if (waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		info.si_pid == 0) {
		return false;
	}
	stop_watching(program);
	(void)kill(-program->pid, SIGKILL);
	(void)waitpid(program->pid, &status, 0);
	program->pid = 0;
	program->answered = WIFEXITED(status);
	program->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	if (!program->answered) {
		program->why = g_strdup_printf(
			"it was ended by a signal: %s", g_strsignal(WTERMSIG(status)));
	}
	return true;
}

/* GLib's own watch would reap it before its group can be killed. */
static gboolean on_wait(gpointer data) {
	struct program *program = data;
	return take_end(program) ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean on_output(gint fd, GIOCondition condition, gpointer data) {
	(void)condition;
	struct program *program = data;
	char part[1024];
	ssize_t length = read(fd, part, sizeof(part));
	if (length < 0 && (errno == EINTR || errno == EAGAIN)) {
		return G_SOURCE_CONTINUE;
	}
	if (length > 0) {
		g_string_append_len(program->output, part, length);
		if (program->output->len <= PROGRAMS_OUTPUT_MAX) {
			return G_SOURCE_CONTINUE;
		}
		program->reading = 0;
		give_up(program, g_strdup("it says too much"));
		return G_SOURCE_REMOVE;
	}
	program->reading = 0;
	program->waiting = g_timeout_add(WAIT_MS, on_wait, program);
	return G_SOURCE_REMOVE;
}

/* In the new process. */
static void set_up(gpointer data) {
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void start(struct program *program) {
	char *argv[] = {program->path, program->argument, NULL};
	g_autoptr(GError) error = NULL;
	if (!g_spawn_async_with_pipes(NULL, argv, NULL,
		    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, set_up, NULL,
		    &program->pid, NULL, &program->out, NULL, &error)) {
		program->pid = 0;
		program->why = g_strdup(error->message);
		return;
	}
	program->reading = g_unix_fd_add(program->out, G_IO_IN | G_IO_HUP, on_output, program);
	program->timer = g_timeout_add(PROGRAMS_TIMEOUT_MS, on_timer, program);
}

static void free_program(void *data) {
	struct program *program = data;
	if (runs(program)) {
		give_up(program, NULL);
	}
	g_free(program->path);
	g_free(program->argument);
	g_string_free(program->output, TRUE);
	g_free(program->why);
	g_free(program);
}

static struct program *find(
	const struct programs *programs, const char *path, const char *argument) {
	for (guint i = 0; i < programs->all->len; i++) {
		struct program *program = programs->all->pdata[i];
		if (strcmp(program->path, path) == 0 && strcmp(program->argument, argument) == 0) {
			return program;
		}
	}
	return NULL;
}

struct programs *programs_create(void) {
	struct programs *programs = g_new0(struct programs, 1);
	programs->all = g_ptr_array_new_with_free_func(free_program);
	return programs;
}

void programs_destroy(struct programs *programs) {
	g_ptr_array_unref(programs->all);
	g_free(programs);
}

void programs_start(struct programs *programs, const char *path, const char *argument) {
	if (find(programs, path, argument) != NULL) {
		return;
	}
	struct program *program = g_new0(struct program, 1);
	program->path = g_strdup(path);
	program->argument = g_strdup(argument);
	program->output = g_string_new(NULL);
	program->out = -1;
	g_ptr_array_add(programs->all, program);
	start(program);
}

bool programs_busy(const struct programs *programs) {
	for (guint i = 0; i < programs->all->len; i++) {
		if (runs(programs->all->pdata[i])) {
			return true;
		}
	}
	return false;
}

struct program_result programs_result(
	const struct programs *programs, const char *path, const char *argument) {
	const struct program *program = find(programs, path, argument);
	return (struct program_result){
		.answered = program->answered,
		.status = program->status,
		.output = program->output->str,
		.why = program->why,
	};
}

char *program_version(const struct program_result *result, const char *name) {
	size_t length = strlen(name);
	if (!result->answered || result->status != 0 ||
		strncmp(result->output, name, length) != 0 || result->output[length] != ' ') {
		return NULL;
	}
	g_autofree char *version = g_strdup(result->output + length + 1);
	size_t end = strcspn(version, "\n");
	/* Nothing but the one line, and in it a word. */
	if (end == 0 || version[end] == '\0' || version[end + 1] != '\0') {
		return NULL;
	}
	version[end] = '\0';
	return strpbrk(version, " \t") == NULL ? g_steal_pointer(&version) : NULL;
}
