#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/sandbox.h"

/* What a sealed child found, as its exit status. */
enum verdict { AS_DESIGNED = 0, NOT_SEALED = 90, PERMITTED = 91, WRONG_ERROR = 92, BROKEN = 93 };

typedef int (*child_function)(const void *data);

/* Returns the wait status. */
static int wait_for(pid_t child) {
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Runs `function` in a sealed child and returns its wait status. */
static int run_sealed(child_function function, const void *data) {
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* The filter may kill the child: no core dump. */
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !sandbox_seal()) {
			_exit(NOT_SEALED);
		}
		_exit(function(data));
	}
	return wait_for(child);
}

static void assert_exit(const char *name, int status) {
	if (!WIFEXITED(status) || WEXITSTATUS(status) != AS_DESIGNED) {
		fail_msg("%s: wait status %#x", name, status);
	}
}

struct call {
	const char *name;
	long number;
	long arguments[6];
};

#define COUNT(calls) (sizeof(calls) / sizeof((calls)[0]))

static int try_call(const struct call *call, int expected) {
	const long *a = call->arguments;
	errno = 0;
	if (syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]) >= 0) {
		return PERMITTED;
	}
	return errno == expected ? AS_DESIGNED : WRONG_ERROR;
}

static int expect_refusal(const void *data) {
	return try_call(data, EPERM);
}

static int expect_unknown(const void *data) {
	return try_call(data, ENOSYS);
}

static void test_refused(void **state) {
	(void)state;
	static char path[] = "/tmp/portlight-sandbox-test";
	const long name = (long)path;
	const struct call calls[] = {
		{"socket", SYS_socket, {AF_INET, SOCK_STREAM}},
		{"socket unix", SYS_socket, {AF_UNIX, SOCK_STREAM}},
		{"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}},
		{"connect", SYS_connect, {0, 0, 0}},
		{"bind", SYS_bind, {0, 0, 0}},
		{"listen", SYS_listen, {0, 1}},
		{"accept4", SYS_accept4, {0, 0, 0, 0}},
		{"open to write", SYS_openat, {AT_FDCWD, name, O_WRONLY | O_CREAT, 0600}},
		{"open to append", SYS_openat, {AT_FDCWD, name, O_RDWR | O_APPEND | O_CREAT, 0600}},
		{"open to read", SYS_openat, {AT_FDCWD, (long)"/etc/passwd", O_RDONLY}},
		{"unlink", SYS_unlinkat, {AT_FDCWD, name, 0}},
		{"rename", SYS_renameat2, {AT_FDCWD, name, AT_FDCWD, name, 0}},
		{"mkdir", SYS_mkdirat, {AT_FDCWD, name, 0700}},
		{"symlink", SYS_symlinkat, {name, AT_FDCWD, name}},
		{"stat", SYS_newfstatat, {AT_FDCWD, (long)"/etc/passwd", name, 0}},
		{"ioctl", SYS_ioctl, {0, 0x5412, name}},
		{"kill parent", SYS_kill, {getpid(), 0}},
		{"tgkill parent", SYS_tgkill, {getpid(), getpid(), 0}},
		{"fork", SYS_clone, {SIGCHLD, 0, 0, 0, 0}},
		{"code", SYS_mmap,
			{0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1}},
		{"more files", SYS_prlimit64, {0, RLIMIT_NOFILE, name, 0}},
		{"dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1}},
		{"death signal", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
	};
	for (size_t i = 0; i < COUNT(calls); i++) {
		assert_exit(calls[i].name, run_sealed(expect_refusal, &calls[i]));
	}
	assert_int_equal(access(path, F_OK), -1);
}

static void test_deadly(void **state) {
	(void)state;
	static char program[] = "/bin/true";
	static char *const argv[] = {program, NULL};
	const struct call calls[] = {
		{"execve", SYS_execve, {(long)program, (long)argv, (long)(argv + 1)}},
		{"execveat", SYS_execveat,
			{AT_FDCWD, (long)program, (long)argv, (long)(argv + 1), 0}},
		{"ptrace", SYS_ptrace, {0, 0, 0, 0}},
		{"process_vm_readv", SYS_process_vm_readv, {getpid(), 0, 0, 0, 0, 0}},
		{"io_uring_setup", SYS_io_uring_setup, {1, 0}},
		{"bpf", SYS_bpf, {0, 0, 0}},
		{"unshare", SYS_unshare, {0}},
		{"mount", SYS_mount, {0, 0, 0, 0, 0}},
	};
	for (size_t i = 0; i < COUNT(calls); i++) {
		int status = run_sealed(expect_refusal, &calls[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
			fail_msg("%s: wait status %#x", calls[i].name, status);
		}
	}
}

static void test_unlisted_looks_unknown(void **state) {
	(void)state;
	static char page[4096] __attribute__((aligned(4096)));
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	const struct f_owner_ex owner = {.type = F_OWNER_PID, .pid = getpid()};
	const struct call calls[] = {
		{"swapoff", SYS_swapoff, {(long)"/"}},
		/* Signals through a descriptor, locks. */
		{"owner", SYS_fcntl, {pair[0], F_SETOWN, getpid()}},
		{"owner by type", SYS_fcntl, {pair[0], F_SETOWN_EX, (long)&owner}},
		{"signal", SYS_fcntl, {pair[0], F_SETSIG, SIGKILL}},
		{"asynchronous", SYS_fcntl, {pair[0], F_SETFL, O_ASYNC | O_NONBLOCK}},
		{"lease", SYS_fcntl, {pair[0], F_SETLEASE, F_RDLCK}},
		{"notify", SYS_fcntl, {pair[0], F_NOTIFY, 0}},
		{"lock", SYS_fcntl, {pair[0], F_SETLK, (long)page}},
		{"pipe size", SYS_fcntl, {pair[0], F_SETPIPE_SZ, 4096}},
		/* The file behind a mapping. */
		{"remove", SYS_madvise, {(long)page, sizeof(page), MADV_REMOVE}},
		{"merge", SYS_madvise, {(long)page, sizeof(page), MADV_MERGEABLE}},
		{"fallocate", SYS_fallocate, {pair[0], 0, 0, 1}},
	};
	for (size_t i = 0; i < COUNT(calls); i++) {
		assert_exit(calls[i].name, run_sealed(expect_unknown, &calls[i]));
	}
	close(pair[0]);
	close(pair[1]);
}

static void *add_one(void *data) {
	int *value = data;
	(*value)++;
	return data;
}

/* What the helper needs: threads, memory, time, its descriptors. */
static int do_work(const void *data) {
	const int *pair = data;
	int value = 0;
	pthread_t thread;
	if (pthread_create(&thread, NULL, add_one, &value) != 0 ||
		pthread_join(thread, NULL) != 0 || value != 1) {
		return BROKEN;
	}
	char *large = malloc(32 * 1024 * 1024);
	if (large == NULL) {
		return BROKEN;
	}
	memset(large, 1, 32 * 1024 * 1024);
	free(large);
	if (send(pair[0], "x", 1, MSG_NOSIGNAL) != 1) {
		return BROKEN;
	}
	char byte = 0;
	if (recv(pair[1], &byte, 1, 0) != 1 || byte != 'x') {
		return BROKEN;
	}
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(pair[0], F_GETFL) < 0) {
		return BROKEN;
	}
	/* PipeWire allocates a node's memory like this. */
	int memory = memfd_create("x", MFD_CLOEXEC);
	if (memory < 0 || ftruncate(memory, 4096) != 0) {
		return BROKEN;
	}
	void *mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	return mapping != MAP_FAILED ? AS_DESIGNED : BROKEN;
}

static void test_work_is_possible(void **state) {
	(void)state;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_exit("work", run_sealed(do_work, pair));
	close(pair[0]);
	close(pair[1]);
}

static void *try_socket(void *data) {
	int *go = data;
	char byte;
	if (read(go[0], &byte, 1) != 1) {
		return (void *)1;
	}
	bool refused = socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM;
	return refused ? NULL : (void *)1;
}

/* PipeWire's data thread starts before the filter is loaded. */
static void test_older_threads_are_sealed_too(void **state) {
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		int go[2];
		pthread_t thread;
		void *result = (void *)1;
		if (pipe(go) != 0 || pthread_create(&thread, NULL, try_socket, go) != 0 ||
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !sandbox_seal()) {
			_exit(NOT_SEALED);
		}
		if (write(go[1], "x", 1) != 1 || pthread_join(thread, &result) != 0) {
			_exit(BROKEN);
		}
		_exit(result == NULL ? AS_DESIGNED : PERMITTED);
	}
	assert_exit("the child", wait_for(child));
}

static void test_enter(void **state) {
	(void)state;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit core;
		int signal = 0;
		bool entered = sandbox_enter(pair[1]);
		bool limited = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
		bool tied = prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGKILL;
		bool plain = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
			     prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
		_exit(entered && limited && tied && plain ? AS_DESIGNED : BROKEN);
	}
	assert_exit("the child", wait_for(child));
	close(pair[0]);
	close(pair[1]);
}

/* Started from a terminal, the helper can write to it but not read from it. */
static void test_a_terminal_cannot_be_read(void **state) {
	(void)state;
	int pair[2];
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(terminal >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(write(master, "sudo password\n", 14), 14);
	pid_t child = fork();
	if (child == 0) {
		char text[64];
		for (int fd = 0; fd < 3; fd++) {
			(void)dup2(terminal, fd);
		}
		bool entered = sandbox_enter(pair[1]);
		bool writes = write(2, "x", 1) == 1;
		bool reads = read(0, text, sizeof(text)) > 0 || read(1, text, sizeof(text)) > 0 ||
			     read(2, text, sizeof(text)) > 0;
		_exit(!entered || !writes ? BROKEN : reads ? PERMITTED : AS_DESIGNED);
	}
	assert_exit("the child", wait_for(child));
	close(master);
	close(terminal);
	close(pair[0]);
	close(pair[1]);
}

/* When its parent dies at once, a helper sees a parent that didn't make the socket pair. */
static void test_enter_without_parent(void **state) {
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) {
			_exit(BROKEN);
		}
		_exit(sandbox_enter(pair[1]) ? PERMITTED : AS_DESIGNED);
	}
	assert_exit("the child", wait_for(child));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deadly),
		cmocka_unit_test(test_unlisted_looks_unknown),
		cmocka_unit_test(test_work_is_possible),
		cmocka_unit_test(test_older_threads_are_sealed_too),
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_a_terminal_cannot_be_read),
		cmocka_unit_test(test_enter_without_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
