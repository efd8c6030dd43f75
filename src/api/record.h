/* One record: how it is found, and the steps that writes share. Private to the api layer. */
#pragma once

#include "internal.h"

/* Sets statement i to read the record that the path names. false: the path's text can be neither id nor slug. */
bool record_statement(struct call *c, int i);

/* What a write knows while it runs. */
struct write_state {
	struct record_input input; /* the body as read */
	struct record *target; /* the record as it is to be, complete */
	struct record *stored; /* as it stands, NULL on creation */
	struct etag_condition match, none_match;
	char id[40];
	int write_index; /* which statement of the job writes */
	bool if_absent; /* PUT that only creates */
	int found_index[16]; /* per statement of the reference question: the field it asks for */
	int n_asked;
	void (*resolved)(struct call *c);
};

/* Reads and checks the body as creation or replacement (base NULL) or patch; then asks for the references it names. Goes on
 * with `resolved` where all is well, answers 422 else. */
void write_prepare(struct call *c, const struct record *base, void (*resolved)(struct call *c));
/* Sends the write: insert (stored NULL) or update of s->target as one transaction. */
void write_insert(struct call *c, bool if_absent);
void write_update(struct call *c);
void write_delete(struct call *c);
/* Failures of a write's transaction that are about the data: 409, 422. false: it was none of them. */
bool write_refused(struct call *c);
struct write_state *write_state_new(struct call *c);
