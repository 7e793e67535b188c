/* WebM files when the writer is killed, and when the device is full or can't be written. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "webm_file.h"

static void a_killed_recording_plays_up_to_its_last_flush(void **state) {
	struct fixture *fixture = *state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct webm *webm = NULL;
		uint8_t data[1000];
		if (!webm_create(create_file(fixture->path), PACKET_CODEC_VP8, 16, 16, &webm)) {
			_exit(1);
		}
		for (int i = 0; i < 50; i++) {
			struct webm_frame frame =
				blob(data, sizeof(data), i == 0, START_US + i * 10000);
			if (!webm_write(webm, &frame)) {
				_exit(1);
			}
		}
		if (!webm_flush(webm)) {
			_exit(1);
		}
		(void)raise(SIGKILL);
	}
	int status = wait_for(child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	struct facts facts;
	read_back(fixture->path, false, &facts);
	assert_int_equal(facts.packets, 49); /* all but the held one */
	assert_true(facts.whole);
}

static void a_full_device_is_told(void **state) {
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct webm *webm = NULL;
	errno = 0;
	assert_false(webm_create(fd, PACKET_CODEC_VP8, 16, 16, &webm));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void an_unwritable_descriptor_is_told(void **state) {
	(void)state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	struct webm *webm = NULL;
	errno = 0;
	assert_false(webm_create(fd, PACKET_CODEC_VP8, 16, 16, &webm));
	assert_int_equal(errno, EBADF);
}

static void a_pipe_is_written_to_by_nothing_but_drain(void **state) {
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	struct webm *webm = NULL;
	uint8_t data[1000];
	assert_true(webm_create(ends[1], PACKET_CODEC_VP8, 16, 16, &webm));
	for (int i = 0; i < 500; i++) {
		struct webm_frame frame = blob(data, sizeof(data), i == 0, START_US + i * 10000);
		assert_true(webm_write(webm, &frame));
	}
	assert_true(webm_finish(webm, START_US + 6000000));
	assert_int_equal(read(ends[0], data, sizeof(data)), -1);
	assert_in_range(webm_undrained(webm), 500 * sizeof(data), 510 * sizeof(data) + 4096);

	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(ends[0]);
	assert_false(webm_drain(webm));
	assert_int_equal(errno, EPIPE);
	assert_int_equal(webm_undrained(webm), 0);
	webm_destroy(webm);
}

static void destroy_takes_nothing(void **state) {
	(void)state;
	webm_destroy(NULL);
}

/* Writes frames until one is refused, completes the file if it can be, and gives how many were
 * taken; 1 or 2 for what should not happen. */
static int fill(const char *path, int expected_error, bool *finished) {
	struct webm *webm = NULL;
	if (!webm_create(create_file(path), PACKET_CODEC_VP8, 16, 16, &webm)) {
		return 1;
	}
	size_t length = 60000;
	cleanup_free uint8_t *data = malloc(length);
	struct webm_frame frame = blob(data, length, true, START_US);
	int taken = 0;
	while (taken < 400 && webm_write(webm, &frame)) {
		taken++;
		frame.key = false;
		frame.pts_us += 40000;
	}
	if (errno != expected_error) {
		return 2;
	}
	*finished = webm_finish(webm, frame.pts_us);
	webm_destroy(webm);
	return taken;
}

static void nothing_taken_is_lost_when_the_disk_is_full(void **state) {
	struct fixture *fixture = *state;
	int says[2];
	assert_int_equal(pipe(says), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* A small disk of this process's own. */
		if ((geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) || unshare(CLONE_NEWNS) != 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
			mount("tmpfs", fixture->directory, "tmpfs", 0, "size=6m") != 0) {
			_exit(200);
		}
		bool finished = false;
		int taken = fill(fixture->path, ENOSPC, &finished);
		struct facts facts = {0};
		if (finished) {
			read_back(fixture->path, false, &facts);
		}
		int results[2] = {taken, facts.whole ? (int)facts.packets : -1};
		_exit(write(says[1], results, sizeof(results)) == sizeof(results) ? 0 : 1);
	}
	int status = wait_for(child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 200) {
		print_message("skipped: this system lets nobody mount a small disk to fill\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	int results[2] = {0};
	assert_int_equal(read(says[0], results, sizeof(results)), sizeof(results));
	/* 6 MiB less the room that is kept for the end, in frames of 60 kB. */
	assert_in_range(results[0], 60, 104);
	assert_int_equal(results[1], results[0]);
}

static void what_was_written_before_a_failure_stays(void **state) {
	struct fixture *fixture = *state;
	int says[2];
	assert_int_equal(pipe(says), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit = {.rlim_cur = 4u << 20, .rlim_max = 4u << 20};
		(void)signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
			_exit(1);
		}
		bool finished = false;
		int results[2] = {fill(fixture->path, EFBIG, &finished), 0};
		results[1] = finished;
		_exit(write(says[1], results, sizeof(results)) == sizeof(results) ? 0 : 1);
	}
	int status = wait_for(child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	int results[2] = {0};
	assert_int_equal(read(says[0], results, sizeof(results)), sizeof(results));
	struct facts facts;
	read_back(fixture->path, false, &facts);
	if (results[1] != 0) {
		/* A tmpfs refuses to reserve past the limit: 4 MiB less the room for the end. */
		assert_true(results[0] > 50);
		assert_true(facts.whole);
		assert_int_equal(facts.packets, results[0]);
		return;
	}
	/* One second of frames at 25 a second, and what had not come to an end of its cluster. */
	assert_true(results[0] > 60);
	assert_true(facts.packets > 60);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_killed_recording_plays_up_to_its_last_flush, set_up, tear_down),
		cmocka_unit_test(a_full_device_is_told),
		cmocka_unit_test(an_unwritable_descriptor_is_told),
		cmocka_unit_test(a_pipe_is_written_to_by_nothing_but_drain),
		cmocka_unit_test(destroy_takes_nothing),
		cmocka_unit_test_setup_teardown(
			nothing_taken_is_lost_when_the_disk_is_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_was_written_before_a_failure_stays, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("webm_fault", tests, NULL, NULL);
}
