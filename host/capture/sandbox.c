#include "capture/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sanitizer.h"

/* A 4K share takes some 300 MiB of private memory at its worst. */
#define DATA_MAX ((rlim_t)1024 * 1024 * 1024)
#define FILES_MAX ((rlim_t)256)

static bool limit(int resource, rlim_t most) {
	struct rlimit now;
	if (getrlimit(resource, &now) != 0) {
		return false;
	}
	rlim_t value = now.rlim_max != RLIM_INFINITY && now.rlim_max < most ? now.rlim_max : most;
	return setrlimit(resource, &(struct rlimit){value, value}) == 0;
}

/* The parent may have died before the death signal was asked for. Who made the socket pair is who
 * started us. */
static bool parent_lives(int peer) {
	struct ucred parent;
	socklen_t length = sizeof(parent);
	if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &parent, &length) != 0) {
		return false;
	}
	return parent.pid == getppid();
}

bool sandbox_enter(int peer) {
	/* Out of the terminal's group: Ctrl-C is for portlight, which then stops its helper. */
	(void)setsid();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
		log_error("the death signal can't be set");
		return false;
	}
	if (!parent_lives(peer)) {
		log_error("the program that started this one is gone");
		return false;
	}
	/* AddressSanitizer's shadow alone is larger than the limit. */
	bool limited = limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, FILES_MAX) &&
		       (WITH_ADDRESS_SANITIZER || limit(RLIMIT_DATA, DATA_MAX));
	if (!limited || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		log_error("the process can't be restricted");
		return false;
	}
	return true;
}

/* What running code needs: memory, threads, time, what is open already. Whatever stands in no list
 * gets ENOSYS, as from an older kernel, so that libraries fall back. */
static const int allowed[] = {
	/* Memory; mmap, mprotect and madvise have rules of their own. */
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
	/* Who am I. */
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
	/* What is open; fcntl has rules of its own. */
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

/* Libraries may try these in good faith and must hear no. */
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

/* No library of ours tries these: who does has taken the process over. */
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

static bool add_list(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (seccomp_rule_add(filter, action, calls[i], 0) != 0) {
			return false;
		}
	}
	return true;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct scmp_arg_cmp argument(
	unsigned int index, enum scmp_compare compare, scmp_datum_t a, scmp_datum_t b) {
	return (struct scmp_arg_cmp){.arg = index, .op = compare, .datum_a = a, .datum_b = b};
}

/* No signals to a process by way of a descriptor (F_SETOWN, F_SETSIG, O_ASYNC), no locks or leases.
 */
static const int descriptor_commands[] = {
	F_GETFD,
	F_SETFD,
	F_GETFL,
	F_DUPFD,
	F_DUPFD_CLOEXEC,
	F_ADD_SEALS,
	F_GET_SEALS,
};

/* What allocators say. MADV_REMOVE would empty the file behind a mapping. */
static const int advice[] = {
	MADV_NORMAL,
	MADV_DONTNEED,
	MADV_FREE,
	MADV_WILLNEED,
	MADV_HUGEPAGE,
	MADV_NOHUGEPAGE,
	MADV_DONTDUMP,
	MADV_DODUMP,
};

/* Permits a call whose argument `index` is one of `values`. */
static bool add_values(
	scmp_filter_ctx filter, int call, unsigned int index, const int *values, size_t count) {
	for (size_t i = 0; i < count; i++) {
		const struct scmp_arg_cmp is =
			argument(index, SCMP_CMP_EQ, (scmp_datum_t)values[i], 0);
		if (seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is) != 0) {
			return false;
		}
	}
	return true;
}

static bool add_argument_rules(scmp_filter_ctx filter) {
	const uint32_t yes = SCMP_ACT_ALLOW;
	const uint32_t no = SCMP_ACT_ERRNO(EPERM);
	const scmp_datum_t ourselves = (scmp_datum_t)getpid();
	const struct {
		uint32_t action;
		int call;
		struct scmp_arg_cmp argument;
	} rules[] = {
		/* No new code. */
		{yes, SCMP_SYS(mmap), argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		{no, SCMP_SYS(mmap), argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)},
		{yes, SCMP_SYS(mprotect), argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		{no, SCMP_SYS(mprotect), argument(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)},
		/* Threads, but no processes. */
		{yes, SCMP_SYS(clone), argument(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)},
		{no, SCMP_SYS(clone), argument(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)},
		/* abort() and asserts may end us; nobody else is signalled. */
		{yes, SCMP_SYS(tgkill), argument(0, SCMP_CMP_EQ, ourselves, 0)},
		{no, SCMP_SYS(tgkill), argument(0, SCMP_CMP_NE, ourselves, 0)},
		{yes, SCMP_SYS(prlimit64), argument(2, SCMP_CMP_EQ, 0, 0)},
		{no, SCMP_SYS(prlimit64), argument(2, SCMP_CMP_NE, 0, 0)},
		{yes, SCMP_SYS(sendto), argument(4, SCMP_CMP_EQ, 0, 0)},
		{no, SCMP_SYS(sendto), argument(4, SCMP_CMP_NE, 0, 0)},
		{yes, SCMP_SYS(prctl), argument(0, SCMP_CMP_EQ, PR_SET_NAME, 0)},
		{no, SCMP_SYS(prctl), argument(0, SCMP_CMP_NE, PR_SET_NAME, 0)},
	};
	for (size_t i = 0; i < COUNT(rules); i++) {
		if (seccomp_rule_add_array(
			    filter, rules[i].action, rules[i].call, 1, &rules[i].argument) != 0) {
			return false;
		}
	}
	const struct scmp_arg_cmp set_flags[] = {
		argument(1, SCMP_CMP_EQ, F_SETFL, 0), argument(2, SCMP_CMP_MASKED_EQ, O_ASYNC, 0)};
	return seccomp_rule_add_array(filter, yes, SCMP_SYS(fcntl), COUNT(set_flags), set_flags) ==
		       0 &&
	       add_values(filter, SCMP_SYS(fcntl), 1, descriptor_commands,
		       COUNT(descriptor_commands)) &&
	       add_values(filter, SCMP_SYS(madvise), 2, advice, COUNT(advice));
}

bool sandbox_seal(void) {
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL) {
		return false;
	}
	/* PipeWire's data thread runs already. */
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
