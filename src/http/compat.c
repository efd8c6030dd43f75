#include "compat.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define OLD (MHD_VERSION < 0x01000000)

/* The target is taken apart by our own parser; the daemon shall leave it as it is. */
static size_t no_unescape(void *data, struct MHD_Connection *mhd, char *s)
{
	(void)data, (void)mhd;
	return strlen(s);
}

struct MHD_Daemon *compat_start(int listen_fd, unsigned max_connections, size_t max_header_bytes, unsigned timeout_s,
				const struct compat_callbacks *callbacks)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (listen_fd < 0 ? MHD_USE_NO_LISTEN_SOCKET : 0);
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_CONNECTION_LIMIT, (intptr_t)max_connections, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)COMPAT_POOL(max_header_bytes), NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)timeout_s, NULL },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)callbacks->completed, callbacks->data },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)callbacks->connection, callbacks->data },
		{ MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)callbacks->uri, callbacks->data },
		{ MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)no_unescape, NULL },
		{ MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
#if !OLD
		{ MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL },
#endif
		/* 0.9.75's strict mode would only take cases from our guard: it answers a missing Host by a status line sent
		 * twice, and a blank in the target not at all. */
		{ listen_fd < 0 ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, listen_fd, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(flags, 0, NULL, NULL, callbacks->handle, callbacks->data, MHD_OPTION_ARRAY, options,
				MHD_OPTION_END);
}

void compat_no_length(struct MHD_Response *answer)
{
#if OLD
	(void)answer;
#else
	MHD_set_response_options(answer, MHD_RF_HEAD_ONLY_RESPONSE, MHD_RO_END);
#endif
}

int compat_timeout(struct MHD_Daemon *daemon)
{
#if OLD
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(daemon, &ms) != MHD_YES)
		return -1;
#else
	uint64_t ms;

	if (MHD_get_timeout64(daemon, &ms) != MHD_YES)
		return -1;
#endif
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void compat_hide_query(const char *uri)
{
	/* The buffer is the daemon's own to write to; it found the '?' before and cuts the target there. */
	char *query = strchr((char *)(uintptr_t)uri, '?');

	if (query)
		query[1] = '\0';
}

size_t compat_head_bytes(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info ? info->header_size : 0;
}

#if OLD
/* 0.9.75 parses a head where it stands: every delimiter becomes a NUL, CR LF two of them, and nothing is moved but a
 * folded line, whose text is appended to the *name* of the header before it. So in a head without tricks each part
 * begins exactly where the one before and its delimiter end. */
struct walk {
	const char *at; /* where the next header must begin */
	const char *end;
	bool broken;
};

static enum MHD_Result walk_header(void *data, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
				   size_t value_len)
{
	struct walk *w = data;

	(void)kind;
	w->broken = name != w->at || name_len >= (size_t)(w->end - name);
	if (w->broken)
		return MHD_NO;
	const char *p = name + name_len + 1;
	while (p < w->end && (*p == ' ' || *p == '\t'))
		p++;
	w->broken = p != value || value_len + 2 > (size_t)(w->end - value) || value[value_len] || value[value_len + 1];
	w->at = value + value_len + 2;
	return w->broken ? MHD_NO : MHD_YES;
}

const char *compat_wire_fault(struct MHD_Connection *mhd, const char *method, const char *target, size_t target_len,
			      const char *version)
{
	const size_t n = compat_head_bytes(mhd), version_len = strlen(version);
	struct walk w = { .end = method + n };

	if (target != method + strlen(method) + 1 || version != target + target_len + 1)
		return "The request line has a NUL or more than two blanks.";
	if ((size_t)(w.end - version) < version_len + 4 || version[version_len + 1])
		return "The request line does not end in CR LF.";
	w.at = version + version_len + 2;
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, walk_header, &w);
	if (w.broken || w.end - w.at != 2 || w.at[0] || w.at[1])
		return "A header line is folded, has a NUL, or does not end in CR LF.";
	return NULL;
}

bool compat_chunks_are_lenient(void)
{
	return true;
}

/* What follows a head in 0.9.75's buffer stands as it came. Blank lines before the head are in `received` too, and cannot be
 * told from it: as the whole stays below half of the pool, so many bytes behind it are still the pool's, and zero. */
const char *compat_body_start(struct MHD_Connection *mhd, const char *method, uint64_t received, size_t *ret_len)
{
	const size_t head = compat_head_bytes(mhd);

	if (received <= head || received > COMPAT_POOL(0) / 2)
		return NULL;
	*ret_len = (size_t)received - head;
	return method + head;
}
#else
/* 1.0 refuses all of these by itself at discipline level 1. */
const char *compat_wire_fault(struct MHD_Connection *mhd, const char *method, const char *target, size_t target_len,
			      const char *version)
{
	(void)mhd, (void)method, (void)target, (void)target_len, (void)version;
	return NULL;
}

bool compat_chunks_are_lenient(void)
{
	return false;
}

const char *compat_body_start(struct MHD_Connection *mhd, const char *method, uint64_t received, size_t *ret_len)
{
	(void)mhd, (void)method, (void)received, (void)ret_len;
	return NULL;
}
#endif
