/* What differs between the versions of libmicrohttpd (0.9.75 in Debian 12, 1.0.1 in Debian 13). Nowhere else is
 * MHD_VERSION asked. */
#pragma once

#include <microhttpd.h>
#include <stddef.h>

struct compat_callbacks {
	MHD_AccessHandlerCallback handle;
	MHD_RequestCompletedCallback completed;
	MHD_NotifyConnectionCallback connection;
	void *(*uri)(void *data, const char *uri, struct MHD_Connection *mhd);
	void *data;
};

/* A daemon for an external loop over a listening socket (-1: none, connections are added). NULL: it does not start; the
 * socket is closed then. */
struct MHD_Daemon *compat_start(int listen_fd, unsigned max_connections, size_t pool_bytes, unsigned timeout_s,
				const struct compat_callbacks *callbacks);

/* Milliseconds until MHD_run() must be called, or -1. */
int compat_timeout(struct MHD_Daemon *daemon);

/* Bytes of the request line and headers, as received. */
size_t compat_head_bytes(struct MHD_Connection *mhd);

/* Looks at how the head lies in the daemon's memory for what it does not tell otherwise: folded lines, bare line feeds,
 * NULs. Returns what is wrong, or NULL. Good in the handler's first call only. */
const char *compat_wire_fault(struct MHD_Connection *mhd, const char *method, const char *target, size_t target_len,
			      const char *version);
