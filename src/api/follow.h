/* The worker's side of the follower: its newest moment, and the requests that wait for one. Private to api. */
#pragma once

#include "lodebase/api/follower.h"

struct api;
struct follow;

enum err follow_new(struct api *api, struct follow **ret) MUST_CHECK;
void follow_free(struct follow *f); /* NULL is fine */
void follow_woken(struct api *api); /* the worker's loop was woken */
void follow_leave(struct call *c); /* it waits no longer */
void follow_done(struct call *c); /* the call is over: lets go of its moment */
/* This process has committed a change: it is looked for soon. */
void follow_wrote(struct api *api);
