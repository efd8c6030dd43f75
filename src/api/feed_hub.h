/* All readers of the change stream on one worker. Private to api.
 *
 * One look at the database serves them all: every 250 ms, and soon after this instance acknowledged a write, the hub asks which
 * resources have changes behind what it knows. Readers for whom there is something fetch their page; those that stand at the same
 * place and want the same share one. A reader holds no database connection while nothing happens. */
#pragma once

#include "feed.h"

struct feed_hub;

enum err feed_hub_new(struct api *api, struct feed_hub **ret) MUST_CHECK;
void feed_hub_free(struct feed_hub *h);
/* Takes in a stream that has begun, standing at f->after; f lives as long as the request. false: no memory. */
bool feed_hub_join(struct feed_hub *h, struct call *c, struct feed *f);
/* The client of a stream would take more. */
void feed_hub_room(struct call *c);
/* The call is over; fine where it never joined. */
void feed_hub_leave(struct call *c);
