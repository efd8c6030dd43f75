#include "lodebase/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096 /* cut to net.core.somaxconn by the kernel */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
	socklen_t len;
};

static bool parse(const char *text, uint16_t port, struct address *ret)
{
	*ret = (struct address){ 0 };
	if (inet_pton(AF_INET, text, &ret->u.v4.sin_addr) == 1) {
		ret->u.v4.sin_family = AF_INET;
		ret->u.v4.sin_port = htons(port);
		ret->len = sizeof ret->u.v4;
		return true;
	}
	if (inet_pton(AF_INET6, text, &ret->u.v6.sin6_addr) == 1) {
		ret->u.v6.sin6_family = AF_INET6;
		ret->u.v6.sin6_port = htons(port);
		ret->len = sizeof ret->u.v6;
		return true;
	}
	return false;
}

static enum err why(void)
{
	switch (errno) {
	case EADDRINUSE:
		return ERR_CONFLICT;
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return ERR_INVALID;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	default:
		return ERR_IO;
	}
}

static int bound(const struct address *a, bool shared)
{
	const int on = 1, off = 0;
	const int fd = socket(a->u.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
	    (a->u.any.sa_family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
	    bind(fd, &a->u.any, a->len) == 0)
		return fd;
	const int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static uint16_t port_of(int fd)
{
	struct address a = { .len = sizeof a.u };

	if (getsockname(fd, &a.u.any, &a.len) < 0)
		return 0;
	return ntohs(a.u.any.sa_family == AF_INET ? a.u.v4.sin_port : a.u.v6.sin6_port);
}

enum err http_listen(const char *address, uint16_t port, bool exclusive, int *ret_fd, uint16_t *ret_port)
{
	struct address a;

	if (!parse(address, port, &a))
		return ERR_INVALID;
	if (exclusive && port) {
		/* Only bound, never listening: nobody can be connected to it and lost with it. */
		const int probe = bound(&a, false);

		if (probe < 0)
			return why();
		close(probe);
	}
	const int fd = bound(&a, true);
	if (fd < 0)
		return why();
	const uint16_t got = listen(fd, BACKLOG) == 0 ? port_of(fd) : 0;
	if (!got) {
		const enum err e = why();

		close(fd);
		return e;
	}
	*ret_fd = fd;
	*ret_port = got;
	return OK;
}
