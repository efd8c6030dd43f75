/* What a service manager is told (systemd's sd_notify protocol: a datagram to the socket that NOTIFY_SOCKET names). */
#pragma once

#include "lodebase/base/err.h"

/* Sends lines like "READY=1", and waits a second at most for that. OK also where nobody asked to be told. ERR_INVALID:
 * NOTIFY_SOCKET names no unix socket; ERR_IO: the manager did not take it; both with errno. The children of this program have
 * an environment of their own, so that PostgreSQL, which knows the protocol too, does not speak for the service. */
enum err notify_manager(const char *lines) MUST_CHECK;
