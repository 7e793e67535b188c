#include "capture/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sanitizer.h"

/* A 4K share takes about 700 MiB of private memory at worst: docs/PERFORMANCE.md. */
#define DATA_MAX ((rlim_t)1024 * 1024 * 1024)
#define FILES_MAX ((rlim_t)256)

static bool limit(int resource, rlim_t most) {
	struct rlimit now;
	if (getrlimit(resource, &now) != 0) {
		return false;
	}
	rlim_t value = MIN(now.rlim_max, most);
	return setrlimit(resource, &(struct rlimit){value, value}) == 0;
}

/* The parent may have died before the death signal was set. It is the process that made the socket
 * pair. */
static bool parent_lives(int peer) {
	struct ucred parent;
	socklen_t length = sizeof(parent);
	return getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &parent, &length) == 0 &&
	       parent.pid == getppid();
}

/* A terminal is open for reading as well as for writing. The host leaves us none, a shell does. */
static bool leave_terminal(void) {
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool left = null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0;
	if (isatty(STDERR_FILENO)) {
		cleanup_fd int writing = open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_CLOEXEC);
		left = left && dup2(writing >= 0 ? writing : null, STDERR_FILENO) >= 0;
	}
	/* Ctrl-C is for portlight, which then stops us. */
	(void)setsid();
	return left;
}

bool sandbox_enter(int peer) {
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !parent_lives(peer)) {
		log_error("the parent process is gone or can't be watched");
		return false;
	}
	/* AddressSanitizer's shadow alone is larger than the limit. */
	bool limited = limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, FILES_MAX) &&
		       (WITH_ADDRESS_SANITIZER || limit(RLIMIT_DATA, DATA_MAX));
	if (!limited || !leave_terminal() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		log_error("can't restrict the process");
		return false;
	}
	return true;
}

/* What running code needs: memory, threads, time, open descriptors. Calls in no list get ENOSYS, as
 * from an older kernel, so that libraries fall back. */
static const int allowed[] = {
	/* Memory; mmap, mprotect and madvise are in argument_rules. */
	SCMP_SYS(brk),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(ftruncate),
	SCMP_SYS(memfd_create),
	/* Threads, scheduling, time. */
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(getcpu),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(membarrier),
	SCMP_SYS(nanosleep),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(sigaltstack),
	/* Identity. */
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(uname),
	/* Open descriptors; fcntl and sendto are in argument_rules. */
	SCMP_SYS(close),
	SCMP_SYS(dup),
	SCMP_SYS(dup3),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2),
	SCMP_SYS(fstat),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(lseek),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Libraries may try these in good faith. They get EPERM. */
static const int refused[] = {
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
	SCMP_SYS(chdir),
	SCMP_SYS(chmod),
	SCMP_SYS(connect),
	SCMP_SYS(creat),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(ioctl),
	SCMP_SYS(kill),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(listen),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(sched_setaffinity),
	SCMP_SYS(sched_setparam),
	SCMP_SYS(sched_setscheduler),
	SCMP_SYS(setpriority),
	SCMP_SYS(setrlimit),
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(symlink),
	SCMP_SYS(symlinkat),
	SCMP_SYS(tkill),
	SCMP_SYS(truncate),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
};

/* No library of ours uses these: a process that tries was taken over, and is killed. */
static const int deadly[] = {
	SCMP_SYS(add_key),
	SCMP_SYS(bpf),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(init_module),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(kcmp),
	SCMP_SYS(keyctl),
	SCMP_SYS(mount),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace),
	SCMP_SYS(request_key),
	SCMP_SYS(setgid),
	SCMP_SYS(setns),
	SCMP_SYS(setuid),
	SCMP_SYS(unshare),
	SCMP_SYS(userfaultfd),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Calls that are allowed if one argument fits. `refused`: otherwise they get EPERM; without it,
 * ENOSYS. */
struct argument_rule {
	int call;
	bool refused;
	struct scmp_arg_cmp allowed;
};

static const struct argument_rule argument_rules[] = {
	/* No new code. */
	{SCMP_SYS(mmap), true, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	{SCMP_SYS(mprotect), true, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
	/* Threads, but no processes. */
	{SCMP_SYS(clone), true, {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}},
	/* Limits are read, not set; datagrams have no address. */
	{SCMP_SYS(prlimit64), true, {2, SCMP_CMP_EQ, 0, 0}},
	{SCMP_SYS(sendto), true, {4, SCMP_CMP_EQ, 0, 0}},
	{SCMP_SYS(prctl), true, {0, SCMP_CMP_EQ, PR_SET_NAME, 0}},
	/* No signals through a descriptor (F_SETOWN, F_SETSIG), no locks or leases. */
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_GETFD, 0}},
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_SETFD, 0}},
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_GETFL, 0}},
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_DUPFD, 0}},
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0}},
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_ADD_SEALS, 0}},
	{SCMP_SYS(fcntl), false, {1, SCMP_CMP_EQ, F_GET_SEALS, 0}},
	/* What allocators use. MADV_REMOVE would empty the file behind a mapping. */
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_NORMAL, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_DONTNEED, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_FREE, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_WILLNEED, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_HUGEPAGE, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_NOHUGEPAGE, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_DONTDUMP, 0}},
	{SCMP_SYS(madvise), false, {2, SCMP_CMP_EQ, MADV_DODUMP, 0}},
};

static bool add_argument_rule(scmp_filter_ctx filter, const struct argument_rule *rule) {
	struct scmp_arg_cmp other = rule->allowed;
	if (other.op == SCMP_CMP_EQ) {
		other.op = SCMP_CMP_NE;
	} else {
		other.datum_b ^= other.datum_a; /* a single bit */
	}
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->call, 1, &rule->allowed) == 0 &&
	       (!rule->refused || seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), rule->call,
					  1, &other) == 0);
}

static bool add_argument_rules(scmp_filter_ctx filter) {
	/* abort() and asserts may end this process; nobody else gets a signal. */
	const struct argument_rule own_signals = {
		SCMP_SYS(tgkill), true, {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0}};
	/* No signals by O_ASYNC. */
	const struct scmp_arg_cmp set_flags[] = {
		{1, SCMP_CMP_EQ, F_SETFL, 0}, {2, SCMP_CMP_MASKED_EQ, O_ASYNC, 0}};
	bool added = add_argument_rule(filter, &own_signals) &&
		     seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl),
			     COUNT(set_flags), set_flags) == 0;
	for (size_t i = 0; added && i < COUNT(argument_rules); i++) {
		added = add_argument_rule(filter, &argument_rules[i]);
	}
	return added;
}

static bool add_list(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count) {
	bool added = true;
	for (size_t i = 0; added && i < count; i++) {
		added = seccomp_rule_add(filter, action, calls[i], 0) == 0;
	}
	return added;
}

bool sandbox_seal(void) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL) {
		return false;
	}
	/* TSYNC: PipeWire's data thread is running already. */
	bool sealed =
		seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
		seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
		add_list(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed)) &&
		add_list(filter, SCMP_ACT_ERRNO(EPERM), refused, COUNT(refused)) &&
		add_list(filter, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly)) &&
		add_argument_rules(filter) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return sealed;
}
