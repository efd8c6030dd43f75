/* What differs between the versions of libmicrohttpd (0.9.75 in Debian 12, 1.0.1 in Debian 13). Nowhere else is
 * MHD_VERSION asked. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a connection's memory in the daemon. Half of it is the buffer that a head is read into, the other half grows it and holds
 * the index of its headers. The least is what the daemon maps anew, so that what was never written is zero. */
#define COMPAT_POOL(max_header_bytes) ((max_header_bytes) < 18432 ? (size_t)40960 : 2 * (max_header_bytes) + 4096)

struct compat_callbacks {
	MHD_AccessHandlerCallback handle;
	MHD_RequestCompletedCallback completed;
	MHD_NotifyConnectionCallback connection;
	void *(*uri)(void *data, const char *uri, struct MHD_Connection *mhd);
	void *data;
};

/* A daemon for an external loop over a listening socket (-1: none, connections are added). NULL: it does not start; the
 * socket is closed then. */
struct MHD_Daemon *compat_start(int listen_fd, unsigned max_connections, size_t max_header_bytes, unsigned timeout_s,
				const struct compat_callbacks *callbacks);

/* For an answer without a body that is no empty one (304, a stream asked for by HEAD): it says no length. 0.9.75 cannot leave it
 * out: there it is 0. */
void compat_no_length(struct MHD_Response *answer);

/* Milliseconds until MHD_run() must be called, or -1. */
int compat_timeout(struct MHD_Daemon *daemon);

/* Keeps the daemon from taking the query apart: we do, and what it makes of a long one does not fit its pool. Good in the URI
 * callback only. */
void compat_hide_query(const char *uri);

/* Bytes of the request line and headers, as received. */
size_t compat_head_bytes(struct MHD_Connection *mhd);

/* Looks at how the head lies in the daemon's memory for what it does not tell otherwise: folded lines, bare line feeds,
 * NULs. Returns what is wrong, or NULL. Good in the handler's first call only. */
const char *compat_wire_fault(struct MHD_Connection *mhd, const char *method, const char *target, size_t target_len,
			      const char *version);

/* Whether the daemon takes chunked bodies that are not framed to the letter (a bare line feed for a line end). */
bool compat_chunks_are_lenient(void);
/* Then: the part of a body that was received together with its head. `received` are the bytes that the daemon has read from
 * the first of the request on. Good in the handler's first call only. */
const char *compat_body_start(struct MHD_Connection *mhd, const char *method, uint64_t received, size_t *ret_len);
