#include "control/grants.h"

struct grants {
	GThreadPool *pool; /* of one thread, which keeps the order */
};

struct job {
	void (*work)(struct job *job, GCancellable *cancellable); /* in the thread; NULL: none */
	grants_func func;
	void *data;
	/* What the call is about. */
	char *origin;
	bool monitor;
	bool window;
	char *token;
	enum protocol_surface surface;
	struct grants_answer answer;
};

static void job_free(gpointer data) {
	struct job *job = data;
	g_free(job->origin);
	g_free(job->token);
	g_free(job->answer.detail);
	g_free(job->answer.list);
	g_free(job);
}

static void run_job(gpointer data, gpointer unused) {
	g_autoptr(GTask) task = data;
	struct job *job = g_task_get_task_data(task);
	if (job->work != NULL) {
		job->work(job, g_task_get_cancellable(task));
	}
	g_task_return_boolean(task, TRUE);
}

static void handle_done(GObject *source, GAsyncResult *result, gpointer data) {
	struct job *job = data;
	if (g_task_propagate_boolean(G_TASK(result), NULL)) {
		job->func(job->data, &job->answer);
	}
}

/* Takes `job`'s strings. */
static void push(struct grants *grants, struct job job, GCancellable *cancellable, grants_func func,
	void *data) {
	job.func = func;
	job.data = data;
	struct job *copy = g_memdup2(&job, sizeof(job));
	GTask *task = g_task_new(NULL, cancellable, handle_done, copy);
	g_task_set_task_data(task, copy, job_free);
	g_thread_pool_push(grants->pool, task, NULL);
}

struct grants *grants_create(void) {
	struct grants *grants = g_new0(struct grants, 1);
	grants->pool = g_thread_pool_new(run_job, NULL, 1, FALSE, NULL);
	return grants;
}

void grants_destroy(struct grants *grants) {
	if (grants != NULL) {
		g_thread_pool_free(grants->pool, FALSE, FALSE);
		g_free(grants);
	}
}

static void run_claim(struct job *job, GCancellable *cancellable) {
	job->answer.ok = grants_file_claim(
		&job->answer.claim, job->origin, job->monitor, job->window, cancellable);
}

void grants_claim(struct grants *grants, const char *origin, bool monitor, bool window,
	GCancellable *cancellable, grants_func func, void *data) {
	push(grants,
		(struct job){.work = run_claim,
			.origin = g_strdup(origin),
			.monitor = monitor,
			.window = window},
		cancellable, func, data);
}

static void run_keep(struct job *job, GCancellable *cancellable) {
	job->answer.ok = grants_file_keep(&job->answer.claim, job->token, job->surface);
}

void grants_keep(struct grants *grants, const struct grants_claim *claim, const char *token,
	enum protocol_surface surface, GCancellable *cancellable, grants_func func, void *data) {
	push(grants,
		(struct job){.work = run_keep,
			.token = g_strdup(token),
			.surface = surface,
			.answer.claim = *claim},
		cancellable, func, data);
}

static void run_read(struct job *job, GCancellable *cancellable) {
	job->answer.list = g_new0(struct grant_list, 1);
	job->answer.code = grants_file_read(job->answer.list, &job->answer.detail);
}

void grants_read(struct grants *grants, GCancellable *cancellable, grants_func func, void *data) {
	push(grants, (struct job){.work = run_read}, cancellable, func, data);
}

static void run_revoke(struct job *job, GCancellable *cancellable) {
	job->answer.code =
		grants_file_revoke(job->origin, &job->answer.revoked, &job->answer.detail);
}

void grants_revoke(struct grants *grants, const char *origin, GCancellable *cancellable,
	grants_func func, void *data) {
	push(grants, (struct job){.work = run_revoke, .origin = g_strdup(origin)}, cancellable,
		func, data);
}

void grants_flush(struct grants *grants, grants_func func, void *data) {
	push(grants, (struct job){0}, NULL, func, data);
}
