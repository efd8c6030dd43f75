/* Answers in parts, of whatever length, in constant memory. Private to api.
 *
 * A stream is a call that goes on after its headers: it is asked for the next part whenever the client took the last one. A part
 * has memory of its own, which is freed when it was handed over. A failure on the way cuts the stream, so that it is seen. */
#pragma once

#include "internal.h"

/* Of an answer that may be of any length: takes one of the places that a worker has for them; false: there was none, and 503 was
 * answered. stream_done() gives it back. */
bool stream_take_place(struct call *c);
/* Sends status 200 and the headers; from here on call_fail() and its friends cut the stream instead of answering. `more` is
 * called whenever the client would take more and no part is under way; of a HEAD request never. */
void stream_begin(struct call *c, const char *content_type, void (*more)(struct call *c));
/* The part in c->out is complete; `last`: and it was the last. */
void stream_part(struct call *c, bool last);
/* Beside the parts: bytes that tell that nothing happened, or that were made elsewhere. false: the client does not
 * keep up. */
bool stream_push(struct call *c, const void *bytes, size_t n);
/* Begins a part: `step` runs with an empty c->out and a new c->arena, fills c->out, now or in later steps, and then says
 * stream_part(). */
void stream_start_part(struct call *c, void (*step)(struct call *c));
/* A key that was revoked reads no further part. The first sets statement i, beside those of a part, to ask for that where the
 * call has a key and its headers have left, and returns how many it set; the second, when they were run, cuts the stream of a
 * key that is revoked, and is true then. */
int stream_ask_key(struct call *c, int i);
bool stream_key_is_over(struct call *c, int i);
/* Ends the stream, whole or cut. */
void stream_end(struct call *c, bool whole);
/* Frees what a stream holds; fine of any call and to repeat. */
void stream_done(struct call *c);
