/* Looks up the names of the database's hosts on a thread of its own, because libpq would do it inside PQconnectStart and
 * block the loop for as long as the name server keeps silent. At most one look-up runs per pool; all connections that are
 * about to open take its answer. libpq then gets `hostaddr` (every address) beside `host` (which TLS still checks).
 *
 * Addresses, unix sockets and `hostaddr` of the conninfo's own need no look-up. */
#include "pool_internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "lodebase/base/buf.h"
#include "lodebase/base/clock.h"
#include "result_internal.h"

enum {
	FRESH_MS = 1000, /* an answer serves the connections that open within it */
	MAX_ADDRESSES = 32,
	MAX_LIST = 16384,
};

/* Shared by the pool and the thread; the last of them frees it. */
struct lookup {
	atomic_int references;
	int done_fd;
	char *hosts, *ports; /* comma-separated, as libpq takes them; ports may be NULL */
	struct buf ret_hosts, ret_addresses, ret_ports;
	char problem[256];
};

static void lookup_unref(struct lookup *l)
{
	if (atomic_fetch_sub(&l->references, 1) > 1)
		return;
	close(l->done_fd);
	free(l->hosts);
	free(l->ports);
	buf_done(&l->ret_hosts);
	buf_done(&l->ret_addresses);
	buf_done(&l->ret_ports);
	free(l);
}

static bool is_name(const char *host)
{
	unsigned char address[16];

	return *host && *host != '/' && *host != '@' && !strchr(host, '%') && inet_pton(AF_INET, host, address) != 1 &&
	       inet_pton(AF_INET6, host, address) != 1;
}

/* Cuts the next entry off a comma-separated list; NULL at its end. */
static char *next_entry(char **list)
{
	return strsep(list, ",");
}

bool resolver_init(struct resolver *r, const struct session_parameters *parameters)
{
	const char *host = session_parameters_get(parameters, "host");
	const char *port = session_parameters_get(parameters, "port");
	const char *address = session_parameters_get(parameters, "hostaddr");
	char *copy, *list, *entry;

	if (!host)
		host = getenv("PGHOST"); // NOLINT(concurrency-mt-unsafe): nobody sets any
	if (!port)
		port = getenv("PGPORT"); // NOLINT(concurrency-mt-unsafe): nobody sets any
	if (!address)
		address = getenv("PGHOSTADDR"); // NOLINT(concurrency-mt-unsafe): nobody sets any
	if (!host || (address && *address))
		return true;
	copy = list = strdup(host);
	while (copy && (entry = next_entry(&list)))
		r->needed = r->needed || is_name(entry);
	free(copy);
	r->hosts = strdup(host);
	r->ports = port && *port ? strdup(port) : NULL;
	return copy && r->hosts && (r->ports || !port || !*port);
}

void resolver_done(struct resolver *r, struct loop *loop)
{
	loop_watch_remove(loop, &r->watch);
	if (r->lookup)
		lookup_unref(r->lookup);
	free(r->hosts);
	free(r->ports);
	memset(r, 0, sizeof *r);
}

/* -- on the thread */

static void add_address(struct lookup *l, const char *host, const char *address, const char *port, unsigned *n)
{
	const char *comma = (*n)++ ? "," : "";

	buf_printf(&l->ret_hosts, "%s%s", comma, host);
	buf_printf(&l->ret_addresses, "%s%s", comma, address);
	buf_printf(&l->ret_ports, "%s%s", comma, port);
}

static void look_up_one(struct lookup *l, const char *host, const char *port, unsigned *n)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char address[NI_MAXHOST];
	int e = getaddrinfo(host, NULL, &hints, &found);

	if (e) {
		(void)snprintf(l->problem, sizeof l->problem, "cannot find the database's host \"%.100s\": %s", host,
			       gai_strerror(e));
		return;
	}
	for (struct addrinfo *a = found; a && *n < MAX_ADDRESSES; a = a->ai_next)
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) == 0)
			add_address(l, host, address, port, n);
	freeaddrinfo(found);
}

static void *look_up(void *data)
{
	const uint64_t one = 1;
	struct lookup *l = data;
	char *hosts = l->hosts, *ports = l->ports;
	const char *port = "";
	char *host;
	unsigned n = 0;

	while ((host = next_entry(&hosts))) {
		/* One port serves all hosts, else there is one for each. */
		char *own = next_entry(&ports);

		port = own ? own : port;
		if (is_name(host))
			look_up_one(l, host, port, &n);
		else
			add_address(l, host, "", port, &n);
	}
	if (n == 0 && !l->problem[0])
		(void)snprintf(l->problem, sizeof l->problem, "the database's host has no address");
	if (l->ret_hosts.failed || l->ret_addresses.failed || l->ret_ports.failed) {
		n = 0;
		(void)snprintf(l->problem, sizeof l->problem, "the addresses of the database's host are too many");
	}
	if (n > 0)
		l->problem[0] = '\0';
	/* A new eventfd always takes it. */
	(void)!write(l->done_fd, &one, sizeof one);
	lookup_unref(l);
	return NULL;
}

/* -- on the loop */

static enum err take_addresses(struct db_pool *p, const struct lookup *l)
{
	enum err e = OK;

	for (int i = 0; e == OK && i < DB_N_LANES; i++) {
		struct session_parameters *to = &p->lanes[i].parameters;

		e = session_parameters_set(to, "host", l->ret_hosts.data);
		if (e == OK)
			e = session_parameters_set(to, "hostaddr", l->ret_addresses.data);
		if (e == OK && l->ret_ports.len > 0)
			e = session_parameters_set(to, "port", l->ret_ports.data);
	}
	return e;
}

static void on_answer(struct loop_watch *watch, uint32_t events)
{
	struct db_pool *p = watch->data;
	struct resolver *r = &p->resolver;
	struct lookup *l = r->lookup;
	struct db_error problem;

	(void)events;
	loop_watch_remove(p->loop, watch);
	r->lookup = NULL;
	if (!l->problem[0] && take_addresses(p, l) != OK)
		(void)snprintf(l->problem, sizeof l->problem, "out of memory");
	db_error_from_text("", l->problem, &problem);
	if (!l->problem[0])
		r->fresh_until_ms = clock_monotonic_ms() + FRESH_MS;
	lookup_unref(l);
	for (int i = 0; i < DB_N_LANES; i++)
		for (unsigned k = 0; k < p->lanes[i].n_connections; k++) {
			struct connection *c = &p->lanes[i].connections[k];

			if (c->state != CONNECTION_RESOLVING)
				continue;
			if (problem.message[0])
				connection_fail(c, &problem);
			else
				connection_connect(c);
		}
}

static bool start_thread(struct lookup *l)
{
	pthread_attr_t attributes;
	sigset_t all, old;
	pthread_t thread;
	bool started;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	/* Signals are for the threads that the program made for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	started = pthread_create(&thread, &attributes, look_up, l) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}

static struct lookup *lookup_new(const struct resolver *r)
{
	struct lookup *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	atomic_init(&l->references, 2);
	l->hosts = strdup(r->hosts);
	l->ports = r->ports ? strdup(r->ports) : NULL;
	l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	buf_init(&l->ret_hosts, MAX_LIST);
	buf_init(&l->ret_addresses, MAX_LIST);
	buf_init(&l->ret_ports, MAX_LIST);
	if (l->hosts && (l->ports || !r->ports) && l->done_fd >= 0)
		return l;
	atomic_store(&l->references, 1);
	lookup_unref(l);
	return NULL;
}

enum err resolver_start(struct db_pool *p, bool *ret_ready)
{
	struct resolver *r = &p->resolver;
	struct lookup *l;
	enum err e;

	*ret_ready = !r->needed || clock_monotonic_ms() < r->fresh_until_ms;
	if (*ret_ready || r->lookup)
		return OK;
	l = lookup_new(r);
	if (!l)
		return ERR_NOMEM;
	r->watch = (struct loop_watch){ .fd = l->done_fd, .events = EPOLLIN, .ready = on_answer, .data = p };
	e = loop_watch_add(p->loop, &r->watch);
	if (e == OK && !start_thread(l)) {
		loop_watch_remove(p->loop, &r->watch);
		e = ERR_NOMEM;
	}
	if (e != OK) {
		atomic_store(&l->references, 1);
		lookup_unref(l);
		return e;
	}
	r->lookup = l;
	return OK;
}
