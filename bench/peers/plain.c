/* Plain libmicrohttpd answering one body from memory: the ceiling that the HTTP library sets.
 *
 *     plain THREADS BODY_FILE HEADER VALUE...
 *
 * Listens on a free port of 127.0.0.1 and says "listening PORT". One epoll loop per thread, as the library does it itself.
 * Ends when its standard input does. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 20, CONNECTIONS = 4096 };

static struct MHD_Response *response;

static enum MHD_Result answer(void *data, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **context)
{
	static char seen;

	(void)data, (void)url, (void)method, (void)version, (void)upload;
	if (!*context) { /* answered here, the connection would be closed */
		*context = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	*context = NULL;
	return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static int make_response(const char *path, char **headers)
{
	static char body[BODY_MAX];
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file)
		return -1;
	n = fread(body, 1, sizeof body, file);
	fclose(file);
	response = MHD_create_response_from_buffer(n, body, MHD_RESPMEM_PERSISTENT);
	if (!response)
		return -1;
	for (; headers[0] && headers[1]; headers += 2)
		if (MHD_add_response_header(response, headers[0], headers[1]) != MHD_YES)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const unsigned threads = argc > 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	struct MHD_Daemon *daemon;
	char ignored[64];

	if (threads < 1) {
		fprintf(stderr, "plain THREADS BODY_FILE HEADER VALUE...\n");
		return 2;
	}
	if (make_response(argv[2], argv + 3) < 0) {
		perror(argv[2]);
		return 1;
	}
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR,
				  (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
				  MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0u, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "libmicrohttpd did not start\n");
		return 1;
	}
	printf("listening %u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
		;
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return 0;
}
