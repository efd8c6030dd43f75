#include "harness.h"

#include "lodebase/base/buf.h"
#include "lodebase/core/metrics.h"

static const char *const routes[] = { "/v1/{resource}", "/a\"b\\" };

static void slots_add_up(void)
{
	struct metrics *m = metrics_new(routes, 2, 3);
	struct buf out;
	buf_init(&out, 1 << 20);
	for (unsigned worker = 0; worker < 3; worker++)
		for (unsigned i = 0; i <= worker; i++)
			metrics_request(m, worker, 0, 200, 100 + i); /* one on a bound, others above */
	metrics_request(m, 0, 0, 503, 60000000);
	metrics_request(m, 1, 1, 799, 0); /* no status of ours */
	metrics_request(m, 7, 0, 200, 1); /* nobody's worker, nobody's route */
	metrics_request(m, 0, 9, 200, 1);
	metrics_gauge_set(m, 0, METRICS_CONNECTIONS, 5);
	metrics_gauge_set(m, 2, METRICS_CONNECTIONS, 6);
	metrics_gauge_set(m, 2, METRICS_CONNECTIONS, 7);
	metrics_write(m, &out);
	CHECK(!out.failed);
	CHECK(strstr(out.data, "lodebase_requests_total{route=\"/v1/{resource}\",status=\"200\"} 6\n"));
	CHECK(strstr(out.data, "lodebase_requests_total{route=\"/v1/{resource}\",status=\"503\"} 1\n"));
	CHECK(strstr(out.data, "lodebase_requests_total{route=\"/a\\\"b\\\\\",status=\"0\"} 1\n"));
	CHECK(strstr(out.data, "_bucket{route=\"/v1/{resource}\",le=\"0.0001\"} 3\n"));
	CHECK(strstr(out.data, "_bucket{route=\"/v1/{resource}\",le=\"0.00025\"} 6\n"));
	CHECK(strstr(out.data, "_bucket{route=\"/v1/{resource}\",le=\"10\"} 6\n"));
	CHECK(strstr(out.data, "_bucket{route=\"/v1/{resource}\",le=\"+Inf\"} 7\n"));
	CHECK(strstr(out.data, "_sum{route=\"/v1/{resource}\"} 60.000604\n"));
	CHECK(strstr(out.data, "_count{route=\"/v1/{resource}\"} 7\n"));
	CHECK(strstr(out.data, "lodebase_http_connections 12\n"));
	CHECK(strstr(out.data, "lodebase_workers 3\n"));
	CHECK(strstr(out.data, "lodebase_build_info{version=\""));
	buf_done(&out);
	metrics_free(m);
}

TESTS({ "slots add up", slots_add_up })
